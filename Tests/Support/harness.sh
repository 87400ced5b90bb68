# SPDX-License-Identifier: Apache-2.0
# harness.sh: the words of every test in shell; sourced by each. It has no effect until a word of it is used: suite.sh
# adds a directory of the suite's own.
#
# A test prints its result as Tests/run-all reads it: "ok NAME", "not ok NAME: why" or "skip NAME: reason".
set -uo pipefail

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
FC_RUNC=$(realpath -m "${FC_RUNC:-$repository/out/bin/fc-runc}")
limit=${LIMIT:-120} # seconds a command may take
is_ours() { "$FC_RUNC" --version | grep -q '^fc-runc'; }

# --- Results ------------------------------------------------------------------------------------------------------

failures=0
scope= # what stands before the name of each test

# check NAME FUNCTION [ARGUMENTS]: runs a test in a subshell and prints its result, and the end of its log if it failed.
check() {
    local name=$scope$1 begin
    shift
    : >"$work/why"
    : >"$work/undefined"
    echo "# $name" >>"$work/log"
    begin=$(stat -c %s "$work/log")
    if ("$@") </dev/null >>"$work/log" 2>&1 && [ ! -s "$work/undefined" ]; then
        echo "ok $name"
    else
        failures=1
        echo "not ok $name: $(cat "$work/undefined" "$work/why" | tr '\n' ' ')"
        tail -c "+$((begin + 1))" "$work/log" | tail -n 30 | cut -c 1-300 | sed 's/^/    /'
    fi
}

fail() {
    printf '%s' "$*" >"$work/why"
    exit 1
}

# A word that is neither a function nor a program fails the test that uses it, whatever the test makes of its status.
command_not_found_handle() {
    echo "$1: no such function or program" | tee -a "$work/undefined" >&2
    return 127
}

# begin_with FUNCTION [ARGUMENTS]: what all tests of a suite need; where it fails there are none.
begin_with() {
    : >"$work/why"
    ("$@") </dev/null >>"$work/log" 2>&1 && return
    echo "not ok $(basename "$0"): $(tr '\n' ' ' <"$work/why")"
    exit 1
}

# skip_all REASON, and the reasons there are: programs that are not installed, another user, another runtime.
skip_all() {
    echo "skip all: $1"
    exit 0
}
needs() {
    local program
    for program; do
        PATH=$PATH:/usr/sbin:/sbin command -v "$program" >/dev/null || skip_all "needs $program: make setup-tests"
    done
}
needs_root() { [ "$(id -u)" -eq 0 ] || skip_all "needs root"; }
needs_ours() { is_ours || skip_all "$FC_RUNC is no fc-runc"; }

# under NAME COMMAND...: a command that prints results, each of which gets NAME before its own.
under() {
    local name=$1 status
    shift
    "$@" | sed -u -E "s|^(ok\|not ok\|skip) |\1 $name |"
    status=${PIPESTATUS[0]}
    [ "$status" -eq 0 ] || failures=1
    return "$status"
}

# each_kernel FUNCTION: calls it with the name and the folder of each guest kernel that is built, `stock` and `trimmed`.
each_kernel() {
    local guests name folder
    guests=$(dirname "$(dirname "$FC_RUNC")")/lib/fc-runc/guest
    for name in stock trimmed; do
        folder=$guests
        [ $name = stock ] || folder=$guests/trimmed
        if [ -e "$folder/vmlinux" ]; then "$1" $name "$folder"; else echo "skip $name: not built, see make guest-kernel"; fi
    done
}

# own_namespaces [--net] -- ARGUMENTS...: the suite begins again, with these arguments of its own, in pid and mount
# namespaces of its own (and a network's), and with a /run and a /dev/shm of its own: whatever a daemon leaves there goes with it.
own_namespaces() {
    local options=()
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    if [ -z "${SUITE_NAMESPACE:-}" ]; then
        SUITE_NAMESPACE=1 exec unshare --mount --propagation private --pid --fork --kill-child --mount-proc \
            "${options[@]}" "$0" "${@:2}"
    fi
    # podman keeps its locks in /dev/shm, for all of the host's.
    mount -t tmpfs -o mode=755 tmpfs /run && mount -t tmpfs -o mode=1777 tmpfs /dev/shm || exit
}

# --- Commands -----------------------------------------------------------------------------------------------------

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

# is_gone PID: it has ended, though its parent may not have waited for it.
is_gone() { [ ! -e "/proc/$1/fd/0" ]; }

# of_the_tests NAME: the path of a program of Tests/Programs; `make build` builds them with all others.
of_the_tests() { echo "$(cd "$repository" && TMPDIR=/tmp swift build -c release --show-bin-path 2>/dev/null)/$1"; }

# A root file system that is an overlay itself, as a container's is, takes no other on top.
overlay_works() {
    mkdir -p "$work/try/lower" "$work/try/upper" "$work/try/work" "$work/try/merged"
    mount -t overlay overlay "$work/try/merged" \
        -o "lowerdir=$work/try/lower,upperdir=$work/try/upper,workdir=$work/try/work" && umount "$work/try/merged"
} 2>/dev/null

# --- Bundles and images -------------------------------------------------------------------------------------------

make_rootfs() {
    mkdir -p "$1/bin" "$1/etc" "$1/dev" "$1/proc" "$1/sys" "$1/tmp" "$1/data"
    chmod 1777 "$1/tmp"
    cp /bin/busybox "$1/bin/busybox"
    "$1/bin/busybox" --install "$1/bin"
    printf 'root:x:0:0:root:/:/bin/sh\nuser:x:1000:1000:user:/:/bin/sh\n' >"$1/etc/passwd"
    printf 'root:x:0:\nuser:x:1000:\n' >"$1/etc/group"
}

# put_program ROOT NAME: a program of the host's with its libraries, in a root file system's /bin.
put_program() {
    local program library
    program=$(PATH=$PATH:/usr/sbin:/sbin command -v "$2") || return
    cp -L --remove-destination "$program" "$1/bin/$2"
    for library in $(ldd "$program" | grep -o '/[^ )]*'); do
        mkdir -p "$1$(dirname "$library")"
        cp -Ln "$library" "$1$library"
    done
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

# edit NAME FILTER [ARGUMENTS...]: changes a bundle's document with jq; $w is the suite's directory.
edit() {
    local document=$work/$1/config.json filter=$2
    shift 2
    jq --arg w "$work" "$@" "$filter" "$document" >"$work/edited.json" && cp "$work/edited.json" "$document"
}

# pack_image FILE LAYER JSON: an OCI layout, as a tar file, of one layer, the tar file LAYER; `latest` is its name, and
# JSON its process's configuration.
pack_image() {
    local layout=$work/layout layer config manifest
    mkdir -p "$layout/blobs/sha256"
    echo '{ "imageLayoutVersion": "1.0.0" }' >"$layout/oci-layout"
    layer=$(put_blob "$layout" <"$2")
    config=$(put_blob "$layout" <<JSON
{ "architecture": "amd64", "os": "linux", "config": $3,
  "rootfs": { "type": "layers", "diff_ids": ["sha256:${layer% *}"] }, "history": [{ "created_by": "tests" }] }
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
    rm -rf "$layout"
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

# make_image FILE [JSON]: an image with busybox in it. JSON, with a comma at its end, goes into its configuration.
make_image() {
    local root=$work/image-root
    make_rootfs "$root"
    tar -C "$root" --sort=name --mtime=@0 --numeric-owner --owner=0 --group=0 -cf "$work/layer.tar" .
    pack_image "$1" "$work/layer.tar" \
        "{ ${2:-} \"Env\": [\"PATH=/bin\", \"IMAGE=yes\"], \"Cmd\": [\"/bin/sh\"], \"WorkingDir\": \"/\" }"
    rm -rf "$root" "$work/layer.tar"
}
