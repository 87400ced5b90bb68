# SPDX-License-Identifier: Apache-2.0
# clients.sh: the same few words for each client, for the software tests; sourced after suite.sh or containerd.sh.
#
#   CLIENT_up             starts what it needs, and brings in the image, $root's files
#   CLIENT_run ID COMMAND runs a container of that id in the foreground, with `volumes` and the options in `extra`
#   CLIENT_again ID       starts it again, as it was made
#   CLIENT_exec ID COMMAND, CLIENT_stop ID (as the image's first process wants it), CLIENT_kill ID, CLIENT_remove ID
#
# `volumes` are words as HOST:CONTAINER.

case $CLIENT in
    podman) DRIVER=overlay NOFILE=1024:4096 && . "$repository/Tests/Support/podman.sh" ;;
    docker) . "$repository/Tests/Support/docker.sh" ;;
esac
volumes=()
extra=()

# --- podman -------------------------------------------------------------------------------------------------------

podman_up() {
    bounded "${podman[@]}" import "$root" software >/dev/null
}
podman_run() {
    local id=$1 volume words=()
    shift
    for volume in "${volumes[@]}"; do words+=(--volume "$volume"); done
    "${podman[@]}" run --name "$id" --network none --cgroup-parent "/$token" "${words[@]}" "${extra[@]}" software "$@"
}
podman_again() { "${podman[@]}" start --attach "$1"; }
podman_exec() { "${podman[@]}" exec "$@"; }
podman_stop() { bounded "${podman[@]}" stop --time 100 "$1"; }
podman_kill() { bounded "${podman[@]}" kill --signal KILL "$1"; }
podman_remove() {
    remember
    bounded "${podman[@]}" rm --force --time 0 "$1"
}
podman_down() {
    bounded "${podman[@]}" rm --all --force --time 0
    bounded "${podman[@]}" rmi --all --force
}
podman_systemd=(--systemd always)

# --- docker -------------------------------------------------------------------------------------------------------

docker_up() {
    start_dockerd
    import_image "$root" software >/dev/null
}
docker_run() {
    local id=$1 volume words=()
    shift
    for volume in "${volumes[@]}"; do words+=(--volume "$volume"); done
    "${docker[@]}" run --name "$id" --network none "${words[@]}" "${extra[@]}" software "$@"
}
docker_again() { "${docker[@]}" start --attach "$1"; }
docker_exec() { "${docker[@]}" exec "$@"; }
docker_stop() { bounded "${docker[@]}" stop --time 100 "$1"; }
docker_kill() { bounded "${docker[@]}" kill --signal KILL "$1"; }
docker_remove() {
    bounded "${docker[@]}" inspect --format '{{.Id}}' "$1" >>"$names"
    bounded "${docker[@]}" rm --force "$1"
}
docker_down() { stop_dockerd; }
docker_systemd=(--privileged --tmpfs /run --tmpfs /run/lock --stop-signal SIGRTMIN+3 --env container=docker)

# --- containerd: the daemon is containerd.sh's ----------------------------------------------------------------------

containerd_up() {
    pack_image "$work/software.tar" "$root" '{ "Env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"] }'
    bounded "${ctr[@]}" images import --snapshotter "$snapshotter" --base-name local/software "$work/software.tar"
    rm "$work/software.tar"
}
containerd_run() {
    local id=$1 volume words=()
    shift
    for volume in "${volumes[@]}"; do words+=(--mount "type=bind,src=${volume%%:*},dst=${volume#*:},options=rbind:rw"); done
    "${run[@]}" "${words[@]}" "${extra[@]}" local/software:latest "$id" "$@"
}
containerd_again() { "${ctr[@]}" tasks start "$1"; }
containerd_exec() {
    local id=$1
    shift
    "${ctr[@]}" tasks exec --exec-id "e$RANDOM" "$id" "$@"
}
containerd_stop() { bounded "${ctr[@]}" tasks kill --signal SIGRTMIN+3 "$1"; }
containerd_kill() { bounded "${ctr[@]}" tasks kill --signal KILL "$1"; }
containerd_remove() { remove "$1"; }
containerd_systemd=(--privileged --env container=containerd
    --mount type=cgroup,src=cgroup,dst=/sys/fs/cgroup,options=rw:nosuid:noexec:nodev)

# --- no client: the root is on a disk, of which only a shim's caller can speak (Tests/Programs/DiskRun) ---------------

installation=$(dirname "$(dirname "$FC_RUNC")")
guest=${GUEST:-$installation/lib/fc-runc/guest/trimmed}
[ -e "$guest/vmlinux" ] || guest=$installation/lib/fc-runc/guest
disk_up() {
    ln -s "$(of_the_tests disk-run)" "$work/disk-run"
    [ -x "$work/disk-run" ] || fail "disk-run is not built: make build"
    mkdir -p "$work/tree"
    tar -C "$work/tree" -xf "$root"
    mke2fs -q -t ext4 -N 300000 -d "$work/tree" "$work/root.img" 3G
    rm -rf --one-file-system "$work/tree"
}
disk_run() {
    local id=$1 volume words=()
    shift
    mkdir -p "$work/$id/rootfs"
    (cd "$work/$id" && "$FC_RUNC" spec)
    for volume in "${volumes[@]}"; do words+=("$volume"); done
    jq '.process.terminal = false | .process.args = $ARGS.positional | .root.readonly = false
        | .process.env = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "container=oci"]
        | .process.capabilities |= map_values(["CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "SETGID",
            "SETUID", "SETFCAP", "SETPCAP", "SYS_CHROOT", "SYS_ADMIN", "SYS_RESOURCE", "AUDIT_WRITE", "NET_ADMIN",
            "SYS_PTRACE"] | map("CAP_" + .))
        | .process.rlimits = []
        | .linux.maskedPaths = [] | .linux.readonlyPaths = []
        | .mounts |= map(if .type == "cgroup" or .type == "sysfs" then .options -= ["ro"] else . end)
        | .mounts += [{ destination: "/run", type: "tmpfs", source: "tmpfs", options: ["mode=755"] }]
        | .mounts += ($volumes | split(" ") | map(select(. != "") | split(":")
            | { destination: .[1], type: "bind", source: .[0], options: ["rbind"] }))' \
        --arg volumes "${words[*]}" "$work/$id/config.json" --args "$@" >"$work/$id.json"
    mv "$work/$id.json" "$work/$id/config.json"
    cp --sparse=always "$work/root.img" "$work/$id.img"
    disk_again "$id"
}
disk_again() { "$work/disk-run" "$installation" "$guest" "$state" "$work/$1" "$1" "$work/$1.img" ext4 ''; }
disk_exec() { "${runtime[@]}" exec "$@"; }
disk_stop() { bounded "${runtime[@]}" kill "$1" 37; } # SIGRTMIN+3
disk_kill() { bounded "${runtime[@]}" kill "$1" KILL; }
disk_remove() {
    bounded "${runtime[@]}" delete --force "$1"
    rm -rf --one-file-system "$work/$1" "$work/$1.img"
}
disk_down() { :; }
disk_systemd=()
