# harness.sh: what the suites of this folder share; sourced by each of them.
#
# A suite works below a directory of its own, $work, whose random part, $token, stands in the name of all that
# it makes on the host: containers, cgroups, paths. So what it leaves behind can be found, and nothing else is
# touched. FC_RUNC names the runtime; the suites' expectations are runc's, so most of them can be run with it:
#
#   FC_RUNC=/usr/sbin/runc Tests/Integration/run lifecycle podman
set -uo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
FC_RUNC=$(realpath "${FC_RUNC:-$repository/out/bin/fc-runc}")
limit=${LIMIT:-120} # seconds a command may take

work=$(mktemp -d "${TMPDIR:-/tmp}/fct.XXXXXX")
token=${work##*.}
names=$work/names # further words that what belongs to this suite is known by
echo "$token" >"$names"
state=$work/state
mkdir -p "$state" "$work/tmp"
export TMPDIR=$work/tmp

runtime=("$FC_RUNC" --root "$state")
is_ours() { "$FC_RUNC" --version | grep -q '^fc-runc'; }

# --- Tests ----------------------------------------------------------------------------------------------------

failures=0

# check NAME FUNCTION [ARGUMENTS]: runs a test in a subshell and prints its result.
check() {
    local name=$1
    shift
    : >"$work/why"
    echo "# $name" >>"$work/log"
    if ("$@") </dev/null >>"$work/log" 2>&1; then
        echo "ok $name"
    else
        failures=1
        echo "not ok $name: $(tr '\n' ' ' <"$work/why")"
    fi
}

fail() {
    printf '%s' "$*" >"$work/why"
    exit 1
}

bounded() { timeout -k 5 "$limit" "$@"; }

# try STATUS COMMAND...: runs the command and keeps what it prints; it must end with STATUS.
try() {
    local wanted=$1 status=0
    shift
    bounded "$@" >"$work/stdout" 2>"$work/stderr" || status=$?
    [ "$status" -eq "$wanted" ] ||
        fail "${*: -3}: ended with $status, not $wanted; $(head -c 600 "$work/stdout") $(tail -c 600 "$work/stderr")"
}

# The last command's whole output, and a piece of what it said on standard error; the log quotes quotes.
printed() { [ "$(cat "$work/stdout")" = "$1" ] || fail "printed '$(head -c 600 "$work/stdout")', not '$1'"; }
said() { tr -d '\\' <"$work/stderr" | grep -qF -- "$1" || fail "said '$(tail -c 600 "$work/stderr")', not '$1'"; }

# within SECONDS COMMAND...: waits until the command succeeds.
within() {
    local end=$(($(date +%s%N) + $1 * 1000000000))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "$(date +%s%N)" -lt "$end" ] || return 1
        sleep 0.05
    done
}

# state_is ID STATUS; what `state` printed is in $work/stdout.
state_is() {
    bounded "${runtime[@]}" state "$1" >"$work/stdout" 2>"$work/stderr" &&
        grep -qF "\"status\": \"$2\"" "$work/stdout"
}
in_state() { state_is "$1" "$2" || fail "not $2: $(cat "$work/stdout" "$work/stderr")"; }

# --- Bundles and images -----------------------------------------------------------------------------------------

make_rootfs() {
    mkdir -p "$1/bin" "$1/etc" "$1/dev" "$1/proc" "$1/sys" "$1/tmp" "$1/data"
    chmod 1777 "$1/tmp"
    cp /bin/busybox "$1/bin/busybox"
    "$1/bin/busybox" --install "$1/bin"
    printf 'root:x:0:0:root:/:/bin/sh\nuser:x:1000:1000:user:/:/bin/sh\n' >"$1/etc/passwd"
    printf 'root:x:0:\nuser:x:1000:\n' >"$1/etc/group"
}

# make_bundle NAME ARGUMENTS...: a bundle whose process has these arguments; its path is $work/NAME.
make_bundle() {
    local bundle=$work/$1 arguments
    shift
    mkdir -p "$bundle"
    [ -d "$bundle/rootfs" ] || make_rootfs "$bundle/rootfs"
    arguments=$(printf '%s\n' "$@" | sed 's/[\\"]/\\&/g; s/.*/"&"/' | paste -sd,)
    cat >"$bundle/config.json" <<JSON
{
  "ociVersion": "1.0.2",
  "process": {
    "terminal": false, "cwd": "/", "user": { "uid": 0, "gid": 0 }, "env": ["PATH=/bin"],
    "args": [$arguments],
    "capabilities": {
      "bounding": ["CAP_KILL", "CAP_CHOWN"], "effective": ["CAP_KILL", "CAP_CHOWN"],
      "permitted": ["CAP_KILL", "CAP_CHOWN"]
    }
  },
  "root": { "path": "rootfs" },
  "hostname": "test",
  "mounts": [
    { "destination": "/proc", "type": "proc", "source": "proc" },
    { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"] }
  ],
  "linux": {
    "namespaces": [
      { "type": "pid" }, { "type": "mount" }, { "type": "ipc" }, { "type": "uts" }, { "type": "network" }
    ]
  }
}
JSON
}

# make_image FILE [JSON]: an OCI layout, as a tar file, of one layer with busybox in it; `latest` is its name. JSON, with
# a comma at its end, goes into its configuration.
make_image() {
    local layout=$work/layout root=$work/image-root layer config manifest
    make_rootfs "$root"
    mkdir -p "$layout/blobs/sha256"
    echo '{ "imageLayoutVersion": "1.0.0" }' >"$layout/oci-layout"
    layer=$(tar -C "$root" --sort=name --mtime=@0 --numeric-owner --owner=0 --group=0 -c . | put_blob "$layout")
    config=$(put_blob "$layout" <<JSON
{ "architecture": "amd64", "os": "linux",
  "config": { ${2:-} "Env": ["PATH=/bin", "IMAGE=yes"], "Cmd": ["/bin/sh"], "WorkingDir": "/" },
  "rootfs": { "type": "layers", "diff_ids": ["sha256:${layer% *}"] },
  "history": [{ "created_by": "busybox" }] }
JSON
    )
    manifest=$(put_blob "$layout" <<JSON
{ "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
  "config": { "mediaType": "application/vnd.oci.image.config.v1+json", $(descriptor $config) },
  "layers": [{ "mediaType": "application/vnd.oci.image.layer.v1.tar", $(descriptor $layer) }] }
JSON
    )
    cat >"$layout/index.json" <<JSON
{ "schemaVersion": 2, "manifests": [{
    "mediaType": "application/vnd.oci.image.manifest.v1+json", $(descriptor $manifest),
    "annotations": { "org.opencontainers.image.ref.name": "latest" } }] }
JSON
    tar -C "$layout" -cf "$1" .
    rm -rf "$layout" "$root"
}

# put_blob LAYOUT: standard input becomes a blob; prints its digest and its size.
put_blob() {
    local file=$1/blobs/new digest
    cat >"$file"
    digest=$(sha256sum <"$file" | cut -d' ' -f1)
    echo "$digest $(stat -c %s "$file")"
    mv "$file" "$1/blobs/sha256/$digest"
}

descriptor() { echo "\"digest\": \"sha256:$1\", \"size\": $2"; }

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

# dirt: a line for each process, mount, cgroup and file of this suite's containers.
dirt() {
    local pid
    for pid in $(our_processes); do echo "process $pid $(tr '\0' ' ' <"/proc/$pid/cmdline" | head -c 200)"; done
    grep -Ff "$names" /proc/self/mountinfo | sed 's/^/mount /'
    find /sys/fs/cgroup -mindepth 1 -type d 2>/dev/null | grep -Ff "$names" | sed 's/^/cgroup /'
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
        within 2 test -z "$(our_processes)" && break
    done
    grep -F "$token" /proc/self/mountinfo | cut -d' ' -f5 | sort -r | xargs -r -n1 umount -l
    find /sys/fs/cgroup -mindepth 1 -depth -type d 2>/dev/null | grep -Ff "$names" | xargs -r rmdir
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
