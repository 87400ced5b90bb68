# SPDX-License-Identifier: Apache-2.0
# measure.sh: what the benchmarks of this folder share; sourced by each of them, run by ./run.
#
# A benchmark prints one row a figure with `row`, and whatever else it has to say on standard error. It works
# below $work, and what it makes on the host has $token in its name: run takes it away.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
repository=$(cd "$here/../.." && pwd)
FC_RUNC=$(realpath "${FC_RUNC:-$repository/out/bin/fc-runc}")
installation=$(dirname "$(dirname "$FC_RUNC")")
programs=${PROGRAMS:-$repository/.build/release} # of the benchmarks themselves
: "${work:?is set by Tests/Benchmarks/run}" "${token:?is set by Tests/Benchmarks/run}"
runtime=("$FC_RUNC" --root "$work/state")

# row NAME UNIT VALUE [PEER PEERVALUE [AIM]]: AIM is "<= N" or ">= N" and bounds the ratio of value to peer's
# value, or the value where there is no peer.
row() { printf '%s|%s|%s|%s|%s|%s\n' "$1" "$2" "$3" "${4:-}" "${5:-}" "${6:-}"; }

median() { sort -n "$1" | awk '{ values[NR] = $1 } END { print values[int((NR + 1) / 2)] }'; }

# --- A cgroup that accounts processor time ------------------------------------------------------------------------

# Of version 2, or of version 1's cpuacct. The measured command starts in its `caller`, and a bundle's own cgroup
# is beside it: the parent's account has both, whoever has ended by then.
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    hierarchy=/sys/fs/cgroup
else
    hierarchy=$(awk '$3 == "cgroup" && $4 ~ /(^|,)cpuacct(,|$)/ { print $2; exit }' /proc/mounts)
fi
account=${hierarchy:?no cgroup of version 2 and no cpuacct}/$token
mkdir -p "$account/caller"

# processor: user and system time of the account so far, in microseconds, into $used; without a process of its own.
processor() {
    local key value
    if [ -e "$account/cpuacct.usage" ]; then
        read -r value <"$account/cpuacct.usage"
        used=$((value / 1000))
    else
        while read -r key value; do [ "$key" != usage_usec ] || used=$value; done <"$account/cpu.stat"
    fi
}

# accounted COMMAND...: in the account.
accounted() {
    echo "$BASHPID" >"$account/caller/cgroup.procs"
    exec "$@"
}

# until_first PATTERN COMMAND...: runs the command to its end; how long it took until a line of its output had the
# pattern in it, in microseconds of the clock and of the processors, into $wall and $spent.
until_first() {
    local pattern=$1 line='' begin before
    shift
    rm -f "$work/pipe"
    mkfifo "$work/pipe"
    processor
    before=$used
    begin=${EPOCHREALTIME/./}
    accounted "$@" </dev/null >"$work/pipe" 2>"$work/command.log" &
    exec 3<"$work/pipe"
    until [[ $line == *"$pattern"* ]]; do
        read -r -u 3 line || { cat "$work/command.log" >&2; echo "no '$pattern' from: $*" >&2; exit 1; }
    done
    wall=$((${EPOCHREALTIME/./} - begin))
    processor
    spent=$((used - before))
    cat <&3 >/dev/null
    exec 3<&-
    wait $!
}

# --- Bundles ------------------------------------------------------------------------------------------------------

# bundle NAME ARGUMENTS...: what `fc-runc spec` writes, with these arguments, without a terminal, and with a cgroup
# in the account, of a version that crun knows too; its path is $work/NAME.
bundle() {
    local place=$work/$1 name=$1 arguments
    shift
    if [ ! -d "$work/rootfs" ]; then
        mkdir -p "$work/rootfs/bin" "$work/rootfs/dev" "$work/rootfs/proc" "$work/rootfs/sys" "$work/rootfs/tmp"
        cp /bin/busybox "$work/rootfs/bin/"
    fi
    mkdir "$place"
    "$FC_RUNC" spec --bundle "$place"
    arguments=$(printf '"%s", ' "$@")
    tr '\n' ' ' <"$place/config.json" |
        sed -E "s|\"args\"[^]]*\]|\"args\": [${arguments%, }]|; s|\"terminal\"[^,}]*|\"terminal\": false|
            s|\"ociVersion\": \"[^\"]*\"|\"ociVersion\": \"1.0.2\"|; s|\"path\": \"rootfs\"|\"path\": \"$work/rootfs\"|
            s|\"linux\": \{|\"linux\": { \"cgroupsPath\": \"/$token/$name\",|" >"$place/edited"
    mv "$place/edited" "$place/config.json"
}

# idle_machine: starts a container that sleeps, named $token.
idle_machine() {
    bundle idle /bin/busybox sleep 1000
    (accounted "${runtime[@]}" run --detach --bundle "$work/idle" "$token") </dev/null >"$work/idle.log" 2>&1 ||
        { cat "$work/idle.log" >&2; exit 1; }
}
