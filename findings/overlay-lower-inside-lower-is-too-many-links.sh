#!/usr/bin/env bash
# An overlay whose lower folders lie within each other (a folder of changes in /tmp over /) is refused by Linux with ELOOP:
# mount says "Too many levels of symbolic links", though no symbolic link is there. The same folder of changes as the upper
# one, on a file system of its own (a tmpfs), is taken. Needs root, and installs nothing.
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo "run it as root: it mounts" >&2; exit 1; }
uname -sr
mount --version
seen=$(unshare --mount sh -c '
    folder=$(mktemp -d) && trap "rm -rf \"$folder\"" EXIT
    mkdir "$folder/changes" "$folder/room" "$folder/root"
    echo changed >"$folder/changes/overlay-finding"
    mount -t overlay overlay -o "lowerdir=$folder/changes:/" "$folder/root" 2>&1 | grep -o "Too many levels of symbolic links"
    mount -t tmpfs tmpfs "$folder/room"
    cp -a "$folder/changes" "$folder/room/up" && mkdir "$folder/room/work" "$folder/room/root"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/room/up,workdir=$folder/room/work" "$folder/room/root" &&
        cat "$folder/room/root/overlay-finding"
    umount "$folder/room/root" "$folder/room"
')
printf 'a lower folder within another: %s\nthe same as the upper folder: %s\n' "${seen%%$'\n'*}" "${seen#*$'\n'}"
[ "$seen" = $'Too many levels of symbolic links\nchanged' ] || {
    echo "this has changed" >&2
    exit 1
}
