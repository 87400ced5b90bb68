# SPDX-License-Identifier: Apache-2.0
# floor.sh: the floor of a start: the machine that ours is, less its devices, with an /init that prints one line;
# sourced after measure.sh.

# make_floor PID: the command line in $floor, of the QEMU that is process PID.
make_floor() {
    local qemu i kernel
    mapfile -d '' -t qemu <"/proc/$1/cmdline"
    gcc -O2 -static -nostdlib -o "$work/floor-init" "$here/floor-init.c"
    mkdir "$work/no-modules"
    : >"$work/no-modules/load"
    "$repository/guest/initramfs" "$work/no-modules" "$work/floor-init" "$work/floor.cpio"
    kernel=$installation/lib/fc-runc/guest/trimmed/vmlinux
    [ -e "$kernel" ] || kernel=$installation/lib/fc-runc/guest/vmlinux
    floor=("${qemu[0]}")
    for ((i = 1; i < ${#qemu[@]}; i++)); do
        case ${qemu[i]} in
            -device | -L) i=$((i + 1)) ;;
            -chardev)
                i=$((i + 1))
                [[ ${qemu[i]} != *id=console* ]] || floor+=(-chardev stdio,id=console)
                ;;
            -kernel) floor+=(-kernel "$kernel") && i=$((i + 1)) ;;
            -initrd) floor+=(-initrd "$work/floor.cpio") && i=$((i + 1)) ;;
            *) floor+=("${qemu[i]}") ;;
        esac
    done
    echo "floor: ${floor[*]}" >&2
}
