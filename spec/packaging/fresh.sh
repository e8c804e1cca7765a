#!/bin/sh
# SPDX-License-Identifier: MIT
# Shows that the README's first commands work on a Debian with nothing but git and make: in a
# root of debootstrap's with /dev, /dev/pts and /proc of its own. Mounts and processes are in
# namespaces that end with this script, so nothing stays mounted or running. Needs root.
#
# usage: spec/packaging/fresh.sh
#
# SUITE (bookworm), MIRROR (debootstrap's own)
set -eu

suite=${SUITE:-bookworm}
mirror=${MIRROR:-}

make_devices() {
    mount -t tmpfs -o mode=755 tmpfs "$1/dev"
    for device in null:3 zero:5 full:7 random:8 urandom:9; do
        mknod -m 666 "$1/dev/${device%:*}" c 1 "${device#*:}"
    done
    mknod -m 666 "$1/dev/tty" c 5 0
    mkdir "$1/dev/pts" "$1/dev/shm"
    mount -t devpts -o newinstance,ptmxmode=666,mode=620 devpts "$1/dev/pts"
    mount -t tmpfs tmpfs "$1/dev/shm"
    ln -s pts/ptmx "$1/dev/ptmx"
    ln -s /proc/self/fd "$1/dev/fd"
}

# As a user who has just cloned types it, without a terminal.
readme() {
    echo "== in a fresh $suite: make $1"
    chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 \
        ${http_proxy:+http_proxy="$http_proxy"} make -C /root/tagoio "$1" </dev/null
}

bootstrap() {
    echo "== debootstrap $suite into $root"
    debootstrap --variant=minbase --include=git,make,ca-certificates "$suite" "$root" $mirror \
        >"$root.log" 2>&1 || { tail "$root.log" && return 1; }
    [ ! -e /etc/resolv.conf ] || cat /etc/resolv.conf >"$root/etc/resolv.conf"
    git clone -q --no-hardlinks . "$root/root/tagoio"
}

if [ "${1:-}" = --inside ]; then
    root=$2
    bootstrap
    make_devices "$root"
    mount -t proc proc "$root/proc"
    readme demo
    readme test
    echo "== the README's commands work in a fresh $suite"
    exit
fi

[ "$(id -u)" = 0 ] || { echo "fresh: it must be run as root" >&2 && exit 1; }
for tool in debootstrap unshare git; do
    command -v $tool >/dev/null && continue
    echo "fresh: $tool is missing: apt-get install debootstrap util-linux git" >&2
    exit 1
done

root=$(mktemp -d)
trap 'rm -rf --one-file-system "$root" "$root.log"' EXIT
trap 'exit 130' INT TERM HUP
unshare --mount --pid --fork --kill-child "$0" --inside "$root"
