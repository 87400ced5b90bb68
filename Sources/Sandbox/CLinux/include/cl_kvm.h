// SPDX-License-Identifier: Apache-2.0
#pragma once

// KVM's interface, Documentation/virt/kvm/api.rst: structures come from <linux/kvm.h>; the numbers of its ioctls
// are function-like macros there, so they are repeated as constants.
#if defined(__x86_64__)
#include <asm/kvm_para.h>
#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>

static const unsigned long CL_KVM_GET_API_VERSION = KVM_GET_API_VERSION;
static const unsigned long CL_KVM_CREATE_VM = KVM_CREATE_VM;
static const unsigned long CL_KVM_CHECK_EXTENSION = KVM_CHECK_EXTENSION;
static const unsigned long CL_KVM_GET_VCPU_MMAP_SIZE = KVM_GET_VCPU_MMAP_SIZE;
static const unsigned long CL_KVM_GET_SUPPORTED_CPUID = KVM_GET_SUPPORTED_CPUID;

static const unsigned long CL_KVM_SET_USER_MEMORY_REGION = KVM_SET_USER_MEMORY_REGION;
static const unsigned long CL_KVM_SET_TSS_ADDR = KVM_SET_TSS_ADDR;
static const unsigned long CL_KVM_SET_IDENTITY_MAP_ADDR = KVM_SET_IDENTITY_MAP_ADDR;
static const unsigned long CL_KVM_CREATE_IRQCHIP = KVM_CREATE_IRQCHIP;
static const unsigned long CL_KVM_CREATE_PIT2 = KVM_CREATE_PIT2;
static const unsigned long CL_KVM_IRQ_LINE = KVM_IRQ_LINE;
static const unsigned long CL_KVM_IRQFD = KVM_IRQFD;
static const unsigned long CL_KVM_IOEVENTFD = KVM_IOEVENTFD;
static const unsigned long CL_KVM_GET_CLOCK = KVM_GET_CLOCK;
static const unsigned long CL_KVM_SET_CLOCK = KVM_SET_CLOCK;
static const unsigned long CL_KVM_CREATE_VCPU = KVM_CREATE_VCPU;

static const unsigned long CL_KVM_RUN = KVM_RUN;
static const unsigned long CL_KVM_GET_REGS = KVM_GET_REGS;
static const unsigned long CL_KVM_SET_REGS = KVM_SET_REGS;
static const unsigned long CL_KVM_GET_SREGS = KVM_GET_SREGS;
static const unsigned long CL_KVM_SET_SREGS = KVM_SET_SREGS;
static const unsigned long CL_KVM_GET_FPU = KVM_GET_FPU;
static const unsigned long CL_KVM_SET_FPU = KVM_SET_FPU;
static const unsigned long CL_KVM_GET_XSAVE = KVM_GET_XSAVE;
static const unsigned long CL_KVM_GET_XSAVE2 = KVM_GET_XSAVE2;
static const unsigned long CL_KVM_SET_XSAVE = KVM_SET_XSAVE;
static const unsigned long CL_KVM_GET_XCRS = KVM_GET_XCRS;
static const unsigned long CL_KVM_SET_XCRS = KVM_SET_XCRS;
static const unsigned long CL_KVM_GET_MSRS = KVM_GET_MSRS;
static const unsigned long CL_KVM_SET_MSRS = KVM_SET_MSRS;
static const unsigned long CL_KVM_SET_CPUID2 = KVM_SET_CPUID2;
static const unsigned long CL_KVM_GET_LAPIC = KVM_GET_LAPIC;
static const unsigned long CL_KVM_SET_LAPIC = KVM_SET_LAPIC;
static const unsigned long CL_KVM_GET_MP_STATE = KVM_GET_MP_STATE;
static const unsigned long CL_KVM_SET_MP_STATE = KVM_SET_MP_STATE;
static const unsigned long CL_KVM_GET_VCPU_EVENTS = KVM_GET_VCPU_EVENTS;
static const unsigned long CL_KVM_SET_VCPU_EVENTS = KVM_SET_VCPU_EVENTS;
static const unsigned long CL_KVM_GET_DEBUGREGS = KVM_GET_DEBUGREGS;
static const unsigned long CL_KVM_SET_DEBUGREGS = KVM_SET_DEBUGREGS;
static const unsigned long CL_KVM_GET_TSC_KHZ = KVM_GET_TSC_KHZ;
static const unsigned long CL_KVM_KVMCLOCK_CTRL = KVM_KVMCLOCK_CTRL;

// Where in struct kvm_run an exit says what it is.
enum {
    CL_RUN_IMMEDIATE_EXIT = offsetof(struct kvm_run, immediate_exit),
    CL_RUN_EXIT_REASON = offsetof(struct kvm_run, exit_reason),
    CL_RUN_HARDWARE_REASON = offsetof(struct kvm_run, hw.hardware_exit_reason),
    CL_RUN_ENTRY_FAILURE = offsetof(struct kvm_run, fail_entry.hardware_entry_failure_reason),
    CL_RUN_IO_DIRECTION = offsetof(struct kvm_run, io.direction),
    CL_RUN_IO_SIZE = offsetof(struct kvm_run, io.size),
    CL_RUN_IO_PORT = offsetof(struct kvm_run, io.port),
    CL_RUN_IO_COUNT = offsetof(struct kvm_run, io.count),
    CL_RUN_IO_DATA_OFFSET = offsetof(struct kvm_run, io.data_offset),
    CL_RUN_MMIO_ADDRESS = offsetof(struct kvm_run, mmio.phys_addr),
    CL_RUN_MMIO_DATA = offsetof(struct kvm_run, mmio.data),
    CL_RUN_MMIO_BYTE_COUNT = offsetof(struct kvm_run, mmio.len),
    CL_RUN_MMIO_IS_WRITE = offsetof(struct kvm_run, mmio.is_write),
    CL_RUN_INTERNAL_SUBERROR = offsetof(struct kvm_run, internal.suberror),
    CL_RUN_SYSTEM_EVENT = offsetof(struct kvm_run, system_event.type),
    CL_RUN_BYTE_COUNT = sizeof(struct kvm_run),
};

// kvm_run.immediate_exit: set by any thread, read by the kernel as KVM_RUN begins.
static inline void cl_store_release_u8(void *p, uint8_t v) { __atomic_store_n((uint8_t *)p, v, __ATOMIC_RELEASE); }
static inline uint8_t cl_exchange_u8(void *p, uint8_t v) { return __atomic_exchange_n((uint8_t *)p, v, __ATOMIC_ACQ_REL); }
#endif
