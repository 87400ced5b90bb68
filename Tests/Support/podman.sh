# SPDX-License-Identifier: Apache-2.0
# podman.sh: Debian's podman with the runtime below it, on storage of its own and without a network; sourced after
# suite.sh. DRIVER is its storage's; NOFILE the soft and the hard limit of open files. podman swaps the two for the infra
# container of a pod, so that they may differ only without pods.
cat >"$work/containers.conf" <<TOML
[containers]
default_ulimits = ["nofile=${NOFILE:-4096:4096}", "nproc=4096:4096"]
[engine]
events_logger = "file"
[network]
network_backend = "cni"
TOML
export CONTAINERS_CONF=$work/containers.conf
# podman forgets its --runtime-flag when it cleans up after a container, so this says where the states are.
printf '#!/bin/sh\nexec %q --root %q "$@"\n' "$FC_RUNC" "$state" >"$work/runtime"
chmod 755 "$work/runtime"
storage=(--root "$work/storage" --runroot "$work/run" --tmpdir "$work/libpod" --storage-driver "${DRIVER:-vfs}")
podman=(podman "${storage[@]}" --cgroup-manager cgroupfs --runtime "$work/runtime")
run=("${podman[@]}" run --network none --cgroup-parent "/$token")

# Names of podman's containers are its own: what is left of them is looked for by these.
remember() { bounded "${podman[@]}" ps --all --quiet --no-trunc >>"$names"; }

stop_client() {
    remember
    bounded "${podman[@]}" pod rm --all --force --time 0
    bounded "${podman[@]}" rm --all --force --time 0
}

image() {
    make_image "$work/image.tar"
    try 0 "${podman[@]}" load --input "$work/image.tar"
    try 0 "${podman[@]}" tag "$("${podman[@]}" images --quiet)" busybox
}

status_of() { bounded "${podman[@]}" inspect --format '{{.State.Status}} {{.State.ExitCode}}' "$1"; }
has_ended() { [ "$(status_of "$1")" = "exited $2" ]; }
is_running() { [ "$(bounded "${podman[@]}" inspect --format '{{.State.Status}}' "$1")" = running ]; }
nothing_left() { within 5 no_cgroups_of_clients "$@" || clean; }
