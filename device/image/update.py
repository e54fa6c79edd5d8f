"""The update of glasses that are in use: a bundle of RAUC with the new root, signed by the maker.

The maker's key and certificate are named by CUELENS_KEY and CUELENS_CERTIFICATE. Without them a key for tests is made,
once for this cache. Nobody should wear glasses whose image was built with it.
"""

import os
from pathlib import Path
from typing import Final

from image import archive, namespace, tools
from image.failure import Failure
from image.places import cache

_TEST_KEY: Final = """
    openssl req -x509 -newkey rsa:3072 -nodes -days 7300 -subj "/CN=cuelens test key" \\
        -addext keyUsage=digitalSignature -addext extendedKeyUsage=emailProtection,codeSigning \\
        -keyout "$1" -out "$2" 2>/dev/null
"""
_BUNDLE: Final = """
    work="$1" key="$2" certificate="$3" target="$4" version="$5" root="$6"
    rm -rf "$work/bundle"; mkdir -p "$work/bundle"
    cp "$root" "$work/bundle/root.img"
    cat > "$work/bundle/manifest.raucm" <<MANIFEST
[update]
compatible=cuelens-glasses
version=$version
[bundle]
format=plain
[image.rootfs]
filename=root.img
MANIFEST
    rm -f "$target"
    rauc bundle --cert="$certificate" --key="$key" --keyring="$certificate" \\
        --mksquashfs-args="-quiet -no-progress -comp zstd -Xcompression-level 3" "$work/bundle" "$target" >&2
    rm -rf "$work/bundle"
"""


def keys() -> tuple[Path, Path]:
    """Return the files of the private key and its certificate. Raises Failure if only one is named."""
    named = os.environ.get("CUELENS_KEY"), os.environ.get("CUELENS_CERTIFICATE")
    if named[0] and named[1]:
        return Path(named[0]).resolve(), Path(named[1]).resolve()
    if any(named):
        raise Failure("CUELENS_KEY and CUELENS_CERTIFICATE belong together: name both")
    folder = cache() / "test-key"
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    if not certificate.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o700)
        make_key(key, certificate)
    return key, certificate


def make_key(key: Path, certificate: Path) -> None:
    """Make a private key and a certificate for twenty years."""
    namespace.run(_TEST_KEY, key, certificate, tools=tools.make(), binds=[cache(), key.parent])


def bundle(root: Path, work: Path, target: Path, version: str) -> None:
    """Make the bundle of a root.erofs. Raises Failure if it cannot be signed."""
    key, certificate = keys()
    binds = [cache(), work, target.parent, key.parent, certificate.parent, root.parent]
    words: list[str | Path] = [work, key, certificate, target, version, root]
    variables = {"SOURCE_DATE_EPOCH": str(archive.DATE)}
    namespace.run(_BUNDLE, *words, tools=tools.make(), binds=binds, environment=variables, log=work / "update.log")
