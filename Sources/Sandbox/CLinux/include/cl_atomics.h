// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <stdint.h>

// Loads and stores on memory another processor (a guest's vCPU, or the VMM) writes meanwhile.
// virtio 1.2 §2.7.13 asks for acquire on reading and release on publishing a ring index.
static inline uint16_t cl_load_acquire_u16(const void *p) { return __atomic_load_n((const uint16_t *)p, __ATOMIC_ACQUIRE); }
static inline void cl_store_release_u16(void *p, uint16_t v) { __atomic_store_n((uint16_t *)p, v, __ATOMIC_RELEASE); }
static inline uint16_t cl_load_relaxed_u16(const void *p) { return __atomic_load_n((const uint16_t *)p, __ATOMIC_RELAXED); }
static inline uint32_t cl_load_acquire_u32(const void *p) { return __atomic_load_n((const uint32_t *)p, __ATOMIC_ACQUIRE); }
static inline void cl_store_release_u32(void *p, uint32_t v) { __atomic_store_n((uint32_t *)p, v, __ATOMIC_RELEASE); }
static inline void cl_fence(void) { __atomic_thread_fence(__ATOMIC_SEQ_CST); }
