# SPDX-License-Identifier: Apache-2.0
# containerd.sh: what the suites of containerd's shim share; sourced by each of them before anything else.
#
# A suite has pid and mount namespaces of its own, a /run of its own, and Debian's containerd in them: all that a shim
# leaves behind is seen, `ps` shows one suite's processes, and with the suite goes whatever is left. RUNTIME names the
# runtime; what the suites expect is what containerd promises, so that they can be run with runc's shim:
#
#   RUNTIME=io.containerd.runc.v2 Tests/Integration/run containerd-shim
#
# ONLY, a pattern of `grep`, chooses checks: none needs another. CRI, set before, is a function that prints the
# configuration of the container runtime interface, which the daemon then serves, in a network namespace of the suite's own.
. "$(dirname "${BASH_SOURCE[0]}")/harness.sh"
needs containerd ctr
needs_root
own_namespaces ${CRI:+--net} -- "$@"
. "$repository/Tests/Support/suite.sh"

RUNTIME=${RUNTIME:-io.containerd.fc-runc.v2}
shims=${SHIMS:-$(dirname "$FC_RUNC")} # where the shim under test is, for containerd to find
is_ours() { [ "$RUNTIME" = io.containerd.fc-runc.v2 ]; }
if is_ours && [ ! -x "$shims/containerd-shim-fc-runc-v2" ]; then
    echo "not ok $(basename "$0"): no containerd-shim-fc-runc-v2 in $shims"
    exit 1
fi

chosen() { [ -z "${ONLY:-}" ] || grep -qe "$ONLY" <<<"$1"; }
# check_ours NAME FUNCTION [ARGUMENTS]: what only a virtual machine promises.
check_ours() { ! is_ours || check "$@"; }
eval "plain_$(declare -f check)"
check() { ! chosen "$1" || plain_check "$@"; }

# --- The daemon ---------------------------------------------------------------------------------------------------

space=$token
cri_off='"io.containerd.grpc.v1.cri", '
if [ -n "${CRI:-}" ]; then
    space=k8s.io
    cri_off=
fi
cat >"$work/config.toml" <<TOML
version = 2
root = "$work/root"
state = "$work/run"
disabled_plugins = [$cri_off"io.containerd.internal.v1.opt"]
[grpc]
address = "$work/containerd.sock"
TOML
export FC_RUNC_CONFIG=$work/fc-runc.toml
: >"$FC_RUNC_CONFIG"

ctr=(ctr --address "$work/containerd.sock" --namespace "$space")
image=localhost/busybox:latest
bundles=$work/run/io.containerd.runtime.v2.task/$space

snapshotter=native
if overlay_works; then snapshotter=overlayfs; fi
[ -z "${CRI:-}" ] || "$CRI" >>"$work/config.toml"
run=("${ctr[@]}" run --snapshotter "$snapshotter" --runtime "$RUNTIME")

start_daemon() {
    PATH=$shims:$PATH containerd --log-level debug --config "$work/config.toml" >>"$work/containerd.log" 2>&1 &
    echo $! >"$work/containerd.pid"
    within 60 bounded "${ctr[@]}" version || fail "containerd does not answer: $(tail -n 3 "$work/containerd.log")"
    # Without a limit: it ends with the daemon. It listens when it tells of something.
    "${ctr[@]}" events >>"$work/events" 2>/dev/null &
    within 20 listens || fail "no events: $(tail -n 3 "$work/containerd.log")"
}
listens() {
    local mark=$EPOCHREALTIME
    bounded "${ctr[@]}" namespaces label "$token" "mark=$mark"
    within 1 grep -qF "$mark" "$work/events"
}

# stop_daemon SIGNAL: its containers go on.
stop_daemon() {
    local pid
    pid=$(cat "$work/containerd.pid")
    kill "-$1" "$pid"
    within 20 is_gone "$pid" || fail "containerd does not end"
}

stop_client() {
    local container
    for container in $(bounded "${ctr[@]}" containers ls --quiet); do remove "$container"; done
    within 10 no_shim
    stop_daemon TERM
}
no_shim() { [ -z "$(processes containerd-shim)" ]; }

# remove ID: by force, and whatever of it is there.
remove() {
    bounded "${ctr[@]}" tasks rm --force "$1"
    bounded "${ctr[@]}" containers rm "$1"
} >/dev/null 2>&1

set_up() {
    start_daemon
    make_image "$work/image.tar"
    try 0 "${ctr[@]}" images import --snapshotter "$snapshotter" --base-name "${image%:*}" "$work/image.tar"
    try 0 "${ctr[@]}" images ls --quiet
    grep -qxF "$image" "$work/stdout" || fail "no image: $(cat "$work/stdout")"
}

# --- Tasks --------------------------------------------------------------------------------------------------------

# matches: as grep -q, but it reads all there is, so that what writes into the pipe does not fail.
matches() { grep "$@" >/dev/null; }

# is ID STATUS, as `tasks ls` has it: RUNNING, STOPPED, PAUSED. comes ID STATUS [SECONDS]: waits for it.
is() { bounded "${ctr[@]}" tasks ls | matches -E "^$1 +[0-9]+ +$2"; }
comes() { within "${3:-20}" is "$1" "$2" || fail "$1 is not $2: $(bounded "${ctr[@]}" tasks ls 2>&1 | tr '\n' ';')"; }
pid_of() { bounded "${ctr[@]}" tasks ls | awk -v id="$1" '$1 == id { print $2 }'; }

# detached ID ARGUMENTS...: a container that runs and writes to $work/ID.log; `options` are of `ctr run`.
options=()
detached() {
    local id=$1
    shift
    try 0 "${run[@]}" --detach --log-uri "file://$work/$id.log" "${options[@]}" $image "$id" "$@"
}
logged() { within "${3:-30}" grep -q "$2" "$work/$1.log" || fail "$1 logged '$(head -c 300 "$work/$1.log")', not '$2'"; }

# ends ID CODE: a task that has stopped or is about to, goes, having ended with the code; and its container too.
ends() {
    comes "$1" STOPPED
    try 0 "${ctr[@]}" tasks rm "$1"
    [ "$2" -eq 0 ] || said "exit with non-zero exit code $2"
    try 0 "${ctr[@]}" containers rm "$1"
    nothing_of "$1"
}

# told ID: the topics of the events of a task, in one line.
told() { grep -F "\"container_id\":\"$1\"" "$work/events" | grep -oE ' /tasks/[a-z-]+' | tr -d '\n'; }
has_told() { [ "$(told "$1")" = "$2" ]; }
has_told_of() { told "$1" | sed 's/ .tasks.exec-[a-z]*//g; s/ .tasks.exit//g' | matches "$2"; }
tells() { within 10 has_told "$1" "$2" || fail "events of $1:$(told "$1"), not$2"; }

# on_terminal STATUS COMMAND...: on a terminal of 30 rows and 90 columns, which ctr wants to be its own. When the
# screen shows 30 90, the terminal becomes larger; what is written to $work/keyboard is typed.
on_terminal() {
    local status=$1
    shift
    [ -e "$work/keyboard" ] || mkfifo "$work/keyboard"
    : >"$work/screen"
    {
        echo 'stty rows 30 cols 90'
        echo "(until grep -q '30 90' '$work/screen'; do sleep 0.05; done; stty -F /dev/tty rows 41 cols 101) &"
        printf '%q ' "$@"
    } >"$work/on-terminal"
    SHELL=/bin/bash bounded script -qefc ". '$work/on-terminal'" /dev/null <>"$work/keyboard" >"$work/screen" 2>&1 &
    terminal=$!
    wanted=$status
}
shows() { within 30 grep -q "$1" "$work/screen" || fail "the screen shows no '$1': $(head -c 600 "$work/screen")"; }
types() { printf '%s\n' "$1" >"$work/keyboard"; }
terminal_ends() {
    local status=0
    wait "$terminal" || status=$?
    [ "$status" -eq "$wanted" ] || fail "ended with $status, not $wanted: $(head -c 600 "$work/screen")"
}

# --- What there is on the host ------------------------------------------------------------------------------------

# nothing_of ID...: nothing of these containers is on the host; what the kernel is just taking away has a moment.
nothing_of() { within "${patience:-5}" is_nothing_of "$@" || fail "left behind: $(left "$@" | head -n 8)"; }
is_nothing_of() { [ -z "$(left "$@")" ]; }
left() {
    local names=$work/left id
    printf '%s\n' "$@" >"$names"
    dirt
    for id; do [ ! -e "$bundles/$id" ] || echo "bundle $bundles/$id"; done
}

# nothing_new: there is no process of a shim's or a sandbox's, no socket, bundle, mount, cgroup or state but what was
# there when `before` was called; and nothing_at_all: there is none.
before() { everything | sort >"$work/before"; }
nothing_new() { within 10 is_nothing_new || fail "left behind: $(news | head -n 8)"; }
is_nothing_new() { [ -z "$(news)" ]; }
news() { everything | sort | comm -13 "$work/before" -; }
nothing_at_all() {
    : >"$work/before"
    nothing_new
}
everything() {
    local part
    for part in containerd-shim fc- qemu runc; do processes "$part" | sed "s/^/$part /"; done
    # runc's shim leaves its socket when it is killed.
    ! is_ours || find /run/containerd/s -mindepth 1 2>/dev/null
    find /run/fc-runc "/run/containerd/fc-runc/$token" "$bundles" -mindepth 1 2>/dev/null
    grep -F "$bundles" /proc/self/mountinfo
    find /sys/fs/cgroup -mindepth 1 -type d -path "*$token*" ! -name "$token" 2>/dev/null
}

# The namespace's cgroup is containerd's, and so is its folder of states.
nothing_left() {
    stop_client
    nothing_at_all
    rmdir "/run/containerd/"*"runc/$token"
    find /sys/fs/cgroup -depth -type d -path "*/$token" -exec rmdir {} \; 2>/dev/null
    clean
}

begin_with set_up
