# SPDX-License-Identifier: Apache-2.0
# docker.sh: a dockerd for a suite that has pid, mount and network namespaces of its own; sourced after suite.sh.
# `docker` is its client, `run` begins a run without a network.

docker=("${DOCKER:-/usr/bin/docker}" --host "unix://$work/docker.sock" --config "$work/docker-client")
run=("${docker[@]}" run --network none)

# What dockerd makes of networks: nothing, unless a suite says otherwise.
docker_networks=(--bridge none --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false --userland-proxy=false)

start_dockerd() {
    local driver=vfs
    if overlay_works; then driver=overlay2; fi
    ip link set lo up
    mkdir -p "$work/docker-client"
    echo '{}' >"$work/daemon.json"
    dockerd --config-file "$work/daemon.json" --data-root "$work/docker" --exec-root "$work/exec" \
        --host "unix://$work/docker.sock" --pidfile "$work/docker.pid" --storage-driver "$driver" \
        "${docker_networks[@]}" \
        --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$token" \
        --add-runtime "tested=$FC_RUNC" --default-runtime tested >>"$work/dockerd.log" 2>&1 &
    within 100 bounded "${docker[@]}" version || fail "dockerd does not answer: $(tail -n 3 "$work/dockerd.log")"
}

# import_image TAR OPTIONS...: its root file system is an image, whose name the options end with.
import_image() {
    bounded "${docker[@]}" import "${@:2:$#-2}" "$1" "${*: -1}" || fail "no image: $(tail -n 3 "$work/dockerd.log")"
}

stop_dockerd() {
    local pid
    bounded "${docker[@]}" ps --all --quiet | xargs -r "${docker[@]}" rm --force
    pid=$(cat "$work/docker.pid") || return
    kill "$pid"
    within 30 is_gone "$pid"
}
