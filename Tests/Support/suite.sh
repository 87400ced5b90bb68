# SPDX-License-Identifier: Apache-2.0
# suite.sh: a suite of tests with containers; sourced by each, before all else.
#
# A suite works below a directory of its own, $work, whose random part, $token, stands in the name of all that
# it makes on the host: containers, cgroups, paths. So what it leaves behind can be found, and nothing else is
# touched. FC_RUNC names the runtime; the suites' expectations are runc's, so most of them can be run with it:
#
#   FC_RUNC=/usr/sbin/runc Tests/Integration/run lifecycle podman
. "$(dirname "${BASH_SOURCE[0]}")/harness.sh"

work=$(mktemp -d "${TMPDIR:-/tmp}/fct.XXXXXX")
token=${work##*.}
names=$work/names # further words that what belongs to this suite is known by
echo "$token" >"$names"
state=$work/state
mkdir -p "$state" "$work/tmp"
export TMPDIR=$work/tmp

runtime=("$FC_RUNC" --root "$state")

# state_is ID STATUS; what `state` printed is in $work/stdout.
state_is() {
    bounded "${runtime[@]}" state "$1" >"$work/stdout" 2>"$work/stderr" &&
        grep -qF "\"status\": \"$2\"" "$work/stdout"
}
in_state() { state_is "$1" "$2" || fail "not $2: $(cat "$work/stdout" "$work/stderr")"; }

# --- Pods ---------------------------------------------------------------------------------------------------------

# annotate NAME ROLE SANDBOX: a bundle's place in a pod, in CRI's words.
annotate() {
    edit "$1" '.annotations += { "io.kubernetes.cri.container-type": $role, "io.kubernetes.cri.sandbox-id": $name }' \
        --arg role "$2" --arg name "$3"
}
# Of the machine of the sandbox $pod: the pid of a program, and how many shares its file server has.
program() { awk -v name="$1" '$1 == "process" && $2 == name { print $3 }' "$state/$pod/jail.log"; }
shares() { find "/proc/$(program fc-fsd)/root/shared" -mindepth 1 -maxdepth 1 | wc -l; }

# --- What is left behind ------------------------------------------------------------------------------------------

# our_processes: the pids of what belongs to this suite by its arguments or its cgroup. Zombies do not count: who
# reaps what lost its parent is not the runtime's to say.
our_processes() {
    local directory
    for directory in /proc/[0-9]*; do
        [ "${directory#/proc/}" != "$$" ] || continue
        grep -qsFf "$names" "$directory/cmdline" "$directory/cgroup" || continue
        # A process without any memory of its own is a zombie, or about to be gone.
        [ "$(head -c 1 "$directory/cmdline" 2>/dev/null | tr '\0' x)" ] || continue
        echo "${directory#/proc/}"
    done
}

# processes NAME [ID]: the pids of the processes of that name; of a container's own with ID, by cgroup or arguments.
processes() {
    local directory name
    for directory in /proc/[0-9]*; do
        read -r name 2>/dev/null <"$directory/comm" || continue
        [[ $name == "$1"* ]] || continue
        [ -z "${2:-}" ] || grep -qsF -- "$2" "$directory/cmdline" "$directory/cgroup" || continue
        [ "$(head -c 1 "$directory/cmdline" 2>/dev/null | tr '\0' x)" ] || continue
        echo "${directory#/proc/}"
    done
}
count() { processes "$@" | wc -l; }

# our_cgroups: the directories of cgroups that are there for this suite. podman also makes its own two, for conmon, below
# a controller of version 1 that has a folder and is not mounted, where they are no cgroups but plain directories.
our_cgroups() {
    find /sys/fs/cgroup -mindepth 1 -type d ! \( ! -fstype cgroup ! -fstype cgroup2 \
        \( -path "*/$token/conmon" -o -path "*/$token" \) \) 2>/dev/null | grep -Ff "$names"
}

# no_cgroups_of_clients NAME...: takes away what clients make and keep: the cgroup that --cgroup-parent named (of NAME
# too), one in it for each of podman's pods, and one for conmon; and then nothing is left.
no_cgroups_of_clients() {
    local name
    for name in "$token" "$@"; do
        find /sys/fs/cgroup -depth -type d -regextype posix-extended \
            -regex ".*/$name(/[0-9a-f]{64})?(/conmon)?" -exec rmdir {} \; 2>/dev/null
    done
    is_clean
}

# programs REGEX: how many of this suite's processes run a program of that name.
programs() { our_processes | while read -r pid; do readlink "/proc/$pid/exe"; done | grep -cE "/$1\$"; }

# dirt: a line for each process, mount, cgroup and file of this suite's containers.
dirt() {
    local pid
    for pid in $(our_processes); do echo "process $pid $(tr '\0' ' ' <"/proc/$pid/cmdline" | head -c 200)"; done
    grep -Ff "$names" /proc/self/mountinfo | sed 's/^/mount /'
    our_cgroups | sed 's/^/cgroup /'
    find "$work/state" "$work/tmp" -mindepth 1 | sed 's/^/file /'
    find /run /dev/shm -mindepth 1 2>/dev/null | grep -Ff "$names" | sed 's/^/file /'
    grep -Ff "$names" /proc/net/unix | sed 's/^/socket /'
}

# clean: nothing of this suite's containers is on the host; what the kernel is just taking away has a moment.
is_clean() { [ -z "$(dirt)" ]; }
clean() { within 2 is_clean || fail "left behind: $(dirt | head -n 8)"; }

# sweep: takes away whatever is left, however the suite ended.
sweep() {
    local place pass
    for place in "$state"/*/; do
        [ ! -d "$place" ] || bounded "$FC_RUNC" --root "$state" delete --force "$(basename "$place")"
    done
    for pass in 1 2 3; do
        our_processes | xargs -r kill -KILL
        within 2 eval '[ -z "$(our_processes)" ]' && break
    done
    grep -F "$token" /proc/self/mountinfo | cut -d' ' -f5 | sort -r | xargs -r -n1 umount -l
    find /sys/fs/cgroup -mindepth 1 -depth -type d \( -fstype cgroup -o -fstype cgroup2 \) 2>/dev/null |
        grep -Ff "$names" | xargs -r rmdir
    find /sys/fs/cgroup -mindepth 1 -type d ! -fstype cgroup ! -fstype cgroup2 -name "$token" -prune 2>/dev/null |
        xargs -r rm -r --one-file-system
    rm -rf --one-file-system "$work"
}

finish() {
    local status=$?
    set +e # as a benchmark has it
    trap '' INT TERM HUP
    if [ -n "${KEEP_LOG:-}" ]; then cp "$work/log" "$KEEP_LOG"; fi
    stop_client >/dev/null 2>&1
    sweep >/dev/null 2>&1
    exit $((status | failures))
}
stop_client() { :; } # a suite that starts a daemon stops it here
trap finish EXIT
trap 'exit 130' INT TERM HUP
