// SPDX-License-Identifier: Apache-2.0
#include "exit_loop.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

enum { memory_size = 0x10000, code_start = 0x1000 };

struct exit_loop {
    int vcpu;
    struct kvm_run *run;
    uint64_t value;
    uint64_t sum;
};

struct exit_loop *exit_loop_make(int kvm, const uint8_t *code, size_t byte_count, int event, uint64_t address) {
    struct exit_loop *loop = calloc(1, sizeof *loop);
    uint8_t *memory = mmap(0, memory_size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int machine = ioctl(kvm, KVM_CREATE_VM, 0);
    if (!loop || memory == MAP_FAILED || machine < 0 || byte_count > memory_size - code_start) return 0;
    memcpy(memory + code_start, code, byte_count);
    struct kvm_userspace_memory_region region = {.memory_size = memory_size, .userspace_addr = (uintptr_t)memory};
    if (ioctl(machine, KVM_SET_USER_MEMORY_REGION, &region) < 0) return 0;
    if (event >= 0) {
        struct kvm_ioeventfd request = {.addr = address, .len = 4, .fd = event};
        if (ioctl(machine, KVM_IOEVENTFD, &request) < 0) return 0;
    }
    loop->vcpu = ioctl(machine, KVM_CREATE_VCPU, 0);
    int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (loop->vcpu < 0 || size < (int)sizeof *loop->run) return 0;
    loop->run = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED, loop->vcpu, 0);
    if (loop->run == MAP_FAILED) return 0;
    struct kvm_sregs special;
    if (ioctl(loop->vcpu, KVM_GET_SREGS, &special) < 0) return 0;
    special.cs.base = 0;
    special.cs.selector = 0;
    struct kvm_regs registers = {.rip = code_start, .rflags = 2};
    if (ioctl(loop->vcpu, KVM_SET_SREGS, &special) < 0 || ioctl(loop->vcpu, KVM_SET_REGS, &registers) < 0) return 0;
    return loop;
}

// The device: what is read is one more than what was written last.
uint64_t exit_loop_serve(struct exit_loop *loop, uint64_t exits) {
    struct kvm_run *run = loop->run;
    for (uint64_t count = 0; count < exits;) {
        if (ioctl(loop->vcpu, KVM_RUN, 0) < 0) {
            if (errno == EINTR || errno == EAGAIN) continue;
            return 0;
        }
        switch (run->exit_reason) {
        case KVM_EXIT_IO: {
            uint8_t *data = (uint8_t *)run + run->io.data_offset;
            if (run->io.size != 1) return 0;
            if (run->io.direction == KVM_EXIT_IO_OUT) {
                for (uint32_t index = 0; index < run->io.count; index++) {
                    loop->value = data[index];
                    loop->sum += loop->value + run->io.port;
                }
            } else {
                memset(data, (int)(loop->value + 1), run->io.count);
            }
            break;
        }
        case KVM_EXIT_MMIO:
            if (run->mmio.is_write) {
                uint64_t value = 0;
                memcpy(&value, run->mmio.data, run->mmio.len);
                loop->value = value;
                loop->sum += value + run->mmio.phys_addr;
            } else {
                uint64_t value = loop->value + 1;
                memcpy(run->mmio.data, &value, sizeof value);
            }
            break;
        default:
            return 0;
        }
        count++;
    }
    return loop->sum;
}
