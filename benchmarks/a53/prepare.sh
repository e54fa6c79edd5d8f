#!/usr/bin/env bash
# Makes what the model of the board needs, once, in FOLDER (build/a53): QEMU 10 with plugins, the counter, an arm64
# Python 3.13 with its libraries, and the runtime's aarch64 wheels. For Debian, as root: it installs what QEMU's build needs.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
made=${1:-$root/build/a53}
mkdir -p "$made"
cd "$made"
made=$PWD

step() { printf '%s\n' "$*" >&2; }

# An apt of its own: Debian trixie for arm64, from the mirror that this machine uses.
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.sources 2>/dev/null |
    sed -nE 's/^(URIs:|deb( \[[^]]*\])?) *(https?:[^ ]*\/debian)\/?( .*)?$/\3/p;' || true)
mirror=${mirror%%$'\n'*}
[ -n "$mirror" ] || { echo "no Debian mirror in /etc/apt: this script is for Debian" >&2; exit 3; }
trixie() {
    apt-get -q -o APT::Architecture=arm64 -o APT::Architectures::=arm64 -o Dir::Etc::sourcelist="$made/apt/sources.list" \
        -o Dir::Etc::sourceparts=/nonexistent -o Dir::State="$made/apt" -o Dir::State::status="$made/apt/status" \
        -o Dir::Cache="$made/apt/cache" -o APT::Sandbox::User=root -o APT::Install-Recommends=false "$@"
}
if [ ! -e apt/done ]; then
    mkdir -p apt/lists/partial apt/cache/archives/partial
    : > apt/status
    printf "deb%s [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main\n" "" -src > apt/sources.list
    trixie update > apt/log 2>&1 || { tail -n 5 apt/log >&2; exit 3; }
    touch apt/done
fi

if [ ! -x qemu-aarch64 ]; then
    step "QEMU 10 with plugins (three minutes of processor time)"
    apt-get install -y -qq --no-install-recommends build-essential dpkg-dev ninja-build flex bison pkg-config \
        python3-venv python3-dev libglib2.0-dev zlib1g-dev > log-tools 2>&1
    mkdir -p source
    (cd source && trixie source --download-only qemu) > log-source 2>&1
    rm -rf source/qemu
    dpkg-source --no-check -x source/qemu_*.dsc source/qemu > log-unpack 2>&1
    # QEMU wants a meson younger than Debian 12's.
    python3 -m venv source/tools && source/tools/bin/python -m pip install --quiet 'meson>=1.5' > log-meson 2>&1
    mkdir -p source/built
    (cd source/built && ../qemu/configure --target-list=aarch64-linux-user --enable-plugins --disable-system \
        --disable-tools --disable-docs --disable-install-blobs \
        --python="$made/source/tools/bin/python" && ninja qemu-aarch64) > log-build 2>&1 ||
        { tail -n 20 log-build >&2; exit 1; }
    cp source/built/qemu-aarch64 source/qemu/include/qemu/qemu-plugin.h .
    rm -rf source
fi

if [ ! -e counter.so ] || [ "$here/counter.c" -nt counter.so ]; then
    gcc -O2 -Wall -fPIC -shared -fvisibility=hidden -I. $(pkg-config --cflags glib-2.0) -o counter.so "$here/counter.c"
fi

if [ ! -e sysroot/done ]; then
    step "an arm64 Python and its libraries"
    trixie install -y --download-only python3.13-minimal libpython3.13-stdlib libstdc++6 opencv-data > log-sysroot 2>&1
    mkdir -p sysroot
    for package in apt/cache/archives/*.deb; do dpkg-deb -x "$package" sysroot; done
    ln -sfn usr/lib sysroot/lib
    touch sysroot/done
fi

if [ ! -e site/done ]; then
    step "the runtime's wheels for aarch64"
    python3 -m pip install --quiet --target site --only-binary=:all: --ignore-requires-python --no-compile --python-version 3.13 \
        --implementation cp --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 \
        --platform manylinux_2_17_aarch64 --platform manylinux2014_aarch64 -c "$root/constraints/trixie.txt" \
        numpy 'opencv-python-headless<5' ai-edge-litert msgspec > log-site 2>&1
    touch site/done
fi
step "ready in $made"
