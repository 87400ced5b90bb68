// SPDX-License-Identifier: Apache-2.0
// The only C of the host side: the door to the kernel, atomics on shared memory, and the
// constants and structures that the Glibc module hides behind _GNU_SOURCE.
#pragma once

#include "cl_syscall.h"
#include "cl_atomics.h"
#include "cl_constants.h"
#include "cl_structs.h"
#include "cl_files.h"
#include "cl_port.h"
#include "cl_kvm.h"
#include "cl_io_uring.h"
