"""lgpio for the glasses: 0.2.2 has no wheel for 64-bit Arm and Python 3.13, and pip would take an empty placeholder.

So it is built here from its source, with its C library inside, by the compiler of the tools tree.
"""

from pathlib import Path
from typing import Final

from image import archive, namespace, python_packages, tools
from image.places import cache

VERSION: Final = "0.2.2.0"
_SOURCE: Final = "11372e653b200f76a0b3ef8a23a0735c85ec678a9f8550b9893151ed0f863fff"
_RECIPE: Final = """
    source="$1" headers="$2" site="$3" version="$4"
    work=$(mktemp -d)
    tar -xzf "$source" -C "$work" --strip-components=1
    dpkg-deb --extract "$headers" "$work/headers"
    cd "$work"
    swig -python lgpio.i
    include="$work/headers/usr/include"
    aarch64-linux-gnu-gcc -O2 -fPIC -shared -pthread -ffile-prefix-map="$work"=. -Wl,--build-id=none \\
        -isystem "$include/python3.13" -isystem "$include" -Isrc \\
        lgpio_wrap.c src/lg*.c src/rgpiod.c -ldl -lrt -o "$site/_lgpio.cpython-313-aarch64-linux-gnu.so"
    aarch64-linux-gnu-strip "$site/_lgpio.cpython-313-aarch64-linux-gnu.so"
    cp lgpio.py "$site/"
    mkdir "$site/lgpio-$version.dist-info"
    cp PKG-INFO "$site/lgpio-$version.dist-info/METADATA"
    cp LICENSE "$site/lgpio-$version.dist-info/"
    rm -rf "$work"
"""


def install(site: Path) -> None:
    """Build lgpio and put it into a folder. Raises Failure if its source or the compiler fails."""
    folder = cache() / "wheels"
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / f"lgpio-{VERSION}.tar.gz"
    if not source.exists():
        python_packages.download_source("lgpio", VERSION, _SOURCE, folder)
    (headers,) = archive.fetch(archive.locked("headers"))
    binds = [cache(), site]
    namespace.run(_RECIPE, source, headers, site, VERSION, tools=tools.make(), binds=binds)
