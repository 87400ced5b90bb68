/* hold: keeps two virtual machines that never run, for as long as the nested host does.
 *
 * KVM has static keys (patched jumps in its code) for machines whose interrupt controller is switched off, or absent,
 * and the scheduler has one for there being machines at all. Each machine that starts or ends would patch them, and
 * QEMU's translator, which runs the nested host's processors in threads of their own, can miss such a patch: a
 * processor that translates the page between the two writes of a patch keeps the breakpoint that stood there between
 * them, and meets it for ever (soft lockups in __apic_accept_irq). With these two machines the keys are on throughout,
 * and nothing is patched. */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int check(int result, const char *what) {
    if (result < 0) {
        perror(what);
        exit(1);
    }
    return result;
}

static int machine(int kvm, int has_controller) {
    int vm = check(ioctl(kvm, KVM_CREATE_VM, 0), "KVM_CREATE_VM");
    if (has_controller) check(ioctl(vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
    return check(ioctl(vm, KVM_CREATE_VCPU, 0), "KVM_CREATE_VCPU");
}

int main(void) {
    int kvm = check(open("/dev/kvm", O_RDWR), "/dev/kvm");
    struct kvm_sregs registers;
    int processor = machine(kvm, 1);
    check(ioctl(processor, KVM_GET_SREGS, &registers), "KVM_GET_SREGS");
    registers.apic_base &= ~0x800ul; /* the enable bit of IA32_APIC_BASE; software has not enabled it either */
    check(ioctl(processor, KVM_SET_SREGS, &registers), "KVM_SET_SREGS");
    machine(kvm, 0);
    if (fork() > 0) return 0;
    setsid();
    for (;;) pause();
}
