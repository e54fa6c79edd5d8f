#!/usr/bin/env bash
# QEMU 10 makes up /proc/self/smaps of a program that it emulates. The mappings are right. Every "Rss" and every
# "Private_Dirty" is 0. "Anonymous" is the whole size of a mapping without a file, and 0 of one with a file, though the
# program has written to it. Nothing says that nothing was counted, so what sums up resident memory, or looks for pages
# that a program has changed, gets a well formed and wrong answer. The same program without the emulator has both.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
mkdir -p lists/partial archives/partial
: >status
mirror=$({ cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources 2>/dev/null || true; } |
    sed -nE 's/^(URIs:|deb( \[[^]]*\])?) *(https?:[^ ]*\/debian)\/?( .*)?$/\3/p' | sed -n 1p)
printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s trixie main\n' "$mirror" >sources
trixie() {
    apt-get -qq -o Dir::Etc::sourcelist="$folder/sources" -o Dir::Etc::sourceparts=- -o Dir::State="$folder" \
        -o Dir::State::status="$folder/status" -o Dir::Cache="$folder" -o APT::Sandbox::User=root \
        -o APT::Architectures::=amd64 -o APT::Architectures::=arm64 "$@"
}
trixie update
busybox=1:1.37.0-6+b9 qemu=1:10.0.13+ds-0+deb13u1
trixie download "qemu-user:amd64=$qemu" "busybox-static:amd64=$busybox" "busybox-static:arm64=$busybox"
for deb in *.deb; do dpkg -x "$deb" "$(basename "${deb##*_}" .deb)"; done
printf 'Debian trixie: qemu-user %s, busybox-static %s\n' "$qemu" "$busybox"

# Totals of a field, in kB: of all mappings, and of those of busybox's own file that can be written to.
totals() {
    awk -v field="$1:" '
        $1 ~ /^[0-9a-f]+-[0-9a-f]+$/ { own = $2 ~ /w/ && $NF ~ /busybox$/; mappings += own }
        $1 == field { all += $2; if (own) written += $2 }
        END { printf "%s %d kB, of its file what can be written to %d kB\n", field, all, written; exit !mappings }'
}
timeout 20 amd64/usr/bin/busybox cat /proc/self/smaps >native
timeout 20 amd64/usr/bin/qemu-aarch64 arm64/usr/bin/busybox cat /proc/self/smaps >emulated
for kind in native emulated; do
    for field in Rss Private_Dirty Anonymous; do
        printf '%s: %s\n' "$kind" "$(totals "$field" <"$kind")"
    done
done | tee seen
some='[1-9][0-9]* kB' none='0 kB' rest='of its file what can be written to'
{
    grep -xE "native: (Rss|Anonymous): $some, $rest $some" seen
    grep -xE "emulated: (Rss|Private_Dirty): $none, $rest $none" seen
    grep -xE "emulated: Anonymous: $some, $rest $none" seen
} >expected
[ "$(wc -l <expected)" = 5 ] || {
    echo "this has changed" >&2
    exit 1
}
