# SPDX-License-Identifier: Apache-2.0
# cache.sh: sourced by the scripts that make a guest kernel. Where they keep what they made, and how it gets there.
#
# A kernel lies in a directory of its own, ${XDG_CACHE_HOME:-~/.cache}/fc-runc/<name>-<version>-<recipe>: the version
# is the Debian package's, the recipe a checksum of what made it. It is built aside and renamed into place, and built
# again when a checksum does not hold.

cache=${XDG_CACHE_HOME:-${HOME:?neither XDG_CACHE_HOME nor HOME is set}/.cache}/fc-runc

die() {
    echo "guest kernel: $*" >&2
    exit 1
}

say() {
    echo "guest kernel: $*" >&2
}

# candidate METAPACKAGE: the package that it stands for today, as name=version; nothing if apt has no lists.
candidate() {
    apt-cache show --no-all-versions "$1" 2>/dev/null |
        sed -n 's/^Depends: \(linux-[^ ,]*\) (= \([^ )]*\)).*/\1=\2/p'
}

update() {
    [ "$(id -u)" -eq 0 ] || die "apt's package lists are missing or old: run apt-get update as root"
    say "apt-get update"
    apt-get -q update >&2
}

# known METAPACKAGE: the same, after an update if apt needs one.
known() {
    package=$(candidate "$1")
    if [ -z "$package" ]; then
        update
        package=$(candidate "$1")
        [ -n "$package" ] || die "apt knows no $1: is this Debian on amd64?"
    fi
    echo "$package"
}

# checksum: of the recipe, on standard input.
checksum() {
    sha256sum | cut -c 1-12
}

# whole DIRECTORY: whether a cached kernel is complete and unchanged.
whole() {
    [ -s "$1/SHA256SUMS" ] && (cd "$1" && sha256sum --status --check SHA256SUMS 2>/dev/null)
}

# fetch PACKAGE FOLDER: downloads the package, whose signature apt checks, and installs nothing.
fetch() {
    say "fetching $1"
    (cd "$2" && apt-get -q -o APT::Sandbox::User=root download "$1" >&2)
}

# make_cached NAME METAPACKAGE RECIPE COMMAND: prints the directory of the kernel that COMMAND makes of the package: called
# with a folder, it finds the package in folder/package, leaves the kernel's files in the folder and takes away the rest.
make_cached() {
    mkdir -p "$cache"
    exec 9>"$cache/lock-$1"
    flock 9 # one build at a time; the others find it done
    package=$(known "$2")
    directory=$cache/$1-${package#*=}-$3
    if ! whole "$directory"; then
        [ ! -e "$directory" ] || say "$directory is damaged: building it again"
        partial=$(mktemp -d "$cache/partial.XXXXXX")
        trap 'rm -rf "$partial"' EXIT
        chmod 755 "$partial"
        mkdir "$partial/package"
        if ! fetch "$package" "$partial/package"; then
            update # the lists may name a version that the archive has replaced since
            package=$(candidate "$2")
            fetch "$package" "$partial/package" || die "cannot fetch $package"
            directory=$cache/$1-${package#*=}-$3
        fi
        "$4" "$partial"
        (cd "$partial" && find -- * -type f -exec sha256sum {} + >.sums && mv .sums SHA256SUMS)
        rm -rf "$directory"
        mv "$partial" "$directory"
    fi
    echo "$directory"
}
