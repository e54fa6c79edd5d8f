"""The lock of a board's kernel and camera, resolved against a stand-in for the archive of Raspberry Pi OS.

The stand-in has the names and the relations of the real archive, in so far as the glasses meet them, and no content.
Debian's part of it is the base as it is locked.
"""

import hashlib
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest

from image import archive, namespace, tools
from image.failure import Failure

_DEBIAN = {
    "libdrm2": "", "libegl-mesa0": "libgbm1, libgallium", "libegl1": "libegl-mesa0", "libgallium": "libllvm19",
    "libgbm1": "libdrm2", "libllvm19": "", "libavcodec61": "", "libyaml-0-2": "", "python3-av": "libavcodec61",
    "python3-jsonschema": "", "python3-piexif": "", "python3-pil": "", "python3-prctl": "",
    "initramfs-tools": "linux-base", "dracut": "linux-base", "linux-base": "",
}  # fmt: skip
_RASPBERRY = {
    "firmware-brcm80211": "",
    "libcamera-ipa": "libcamera0.7 (= 1)",
    "libcamera0.7": "libpisp1, libyaml-0-2, libegl1, libgbm1",
    "libpisp1": "",
    "linux-image-6.18-rpi-2712": "initramfs-tools | linux-initramfs-tool, linux-base",
    "linux-image-6.18-rpi-v8": "initramfs-tools | linux-initramfs-tool, linux-base",
    "linux-image-rpi-2712": "linux-image-6.18-rpi-2712 (= 1)",
    "linux-image-rpi-v8": "linux-image-6.18-rpi-v8 (= 1)",
    "python3-libcamera": "libcamera0.7 (= 1), python3",
    "python3-picamera2":
        "python3-libcamera, python3-numpy, python3-av, python3-jsonschema, python3-piexif, python3-pil, python3-prctl,"
        " python3-simplejpeg",
    "python3-simplejpeg": "python3-numpy",
    "raspi-firmware": "dosfstools",
}  # fmt: skip
_LOCKED = {
    "firmware-brcm80211", "libcamera-ipa", "libcamera0.7", "libegl1", "libpisp1", "libyaml-0-2", "linux-base",
    "linux-image-6.18-rpi-2712", "linux-image-6.18-rpi-v8", "linux-image-rpi-2712", "linux-image-rpi-v8",
    "python3-jsonschema", "python3-libcamera", "python3-picamera2", "python3-piexif", "python3-pil", "python3-prctl",
    "python3-simplejpeg", "raspi-firmware",
}  # fmt: skip


def _publish(site: Path, suite: str, packages: Iterable[tuple[str, str, str]]) -> str:
    """Make an archive of empty packages (name, version, relations), and return its address with apt's word of trust."""
    index = site / "dists" / suite / "main" / "binary-arm64"
    index.mkdir(parents=True, exist_ok=True)
    (site / "pool").mkdir(exist_ok=True)
    stanzas = []
    for name, version, depends in packages:
        file = site / "pool" / f"{name}_{version.replace(':', '%3a')}_arm64.deb"
        file.write_text(f"{name} {version}")
        stanzas.append(
            f"Package: {name}\nVersion: {version}\nArchitecture: arm64\nMaintainer: nobody\n"
            f"Filename: pool/{file.name}\nSize: {file.stat().st_size}\n"
            f"SHA256: {hashlib.sha256(file.read_bytes()).hexdigest()}\n"
            + ("Essential: yes\n" if name == "dpkg" else "")
            + (f"Depends: {depends}\n" if depends else "")
        )
    text = "\n".join(stanzas)
    (index / "Packages").write_text(text)
    listed = f" {hashlib.sha256(text.encode()).hexdigest()} {len(text)} main/binary-arm64/Packages"
    head = f"Date: Sat, 01 Aug 2026 00:00:00 UTC\nSuite: {suite}\nCodename: {suite}\nArchitectures: arm64\n"
    head += f"Components: main\nSHA256:\n{listed}\n"
    (site / "dists" / suite / "Release").write_text(head)
    return f"[trusted=yes] file:{site}"


@pytest.fixture
def lists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the lock of the base, archives of which it is true, and this machine's own apt."""
    if not shutil.which("apt-get"):
        pytest.skip("apt resolves packages, and this machine has none")
    try:
        namespace.run("true", tools=None)
    except Failure as failure:
        pytest.skip(str(failure))
    sites = tmp_path / "sites"
    base = [(package.name, package.version, "") for package in archive.locked("base")]
    debian = _publish(sites / "debian", "trixie", base + [(name, "1", asked) for name, asked in _DEBIAN.items()])
    _publish(sites / "debian", "trixie-updates", [])
    _publish(sites / "debian-security", "trixie-security", [])
    raspberry = _publish(sites / "raspberry", "trixie", [(name, "1", asked) for name, asked in _RASPBERRY.items()])
    monkeypatch.setenv("CUELENS_MIRROR", debian)
    monkeypatch.setenv("CUELENS_RASPBERRY_ARCHIVE", f"deb {raspberry} trixie main")
    monkeypatch.setenv("CUELENS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(tools, "make", lambda: None)
    folder = tmp_path / "image"
    folder.mkdir()
    shutil.copy(archive.lock_file("base"), folder)
    monkeypatch.setattr(archive, "HERE", folder)
    return folder


def test_a_boards_kernel_and_camera_are_locked_and_fetched_on_the_base_of_every_flavour(lists: Path) -> None:
    before = (lists / "packages.lock").read_text()
    archive.write_lock(archive.resolve("board"))
    locked = archive.locked("board")
    assert {package.name for package in locked} == _LOCKED
    assert (lists / "packages.lock").read_text() == before
    files = archive.fetch(locked)
    assert [file.read_text() for file in files] == [f"{package.name} {package.version}" for package in locked]


def test_a_base_that_the_archive_has_no_more_is_no_ground_for_a_board(
    lists: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    lock = lists / "packages.lock"
    lock.write_text(lock.read_text().replace("base dpkg ", "base dpkg 0"))
    with pytest.raises(Failure, match="run `make image-lock`, then `make image-lock FLAVOUR=board`"):
        archive.resolve("board")
    assert re.search("Version '0.*' for 'dpkg' was not found", capfd.readouterr().err)


def test_what_is_locked_is_fetched_though_nothing_asks_for_it_any_more(lists: Path, tmp_path: Path) -> None:
    archive.write_lock(archive.resolve("board"))
    alone = [(name, "1", "") for name in _RASPBERRY]
    _publish(tmp_path / "sites" / "raspberry", "trixie", alone)
    assert {package.name for package in archive.resolve("board")} < _LOCKED
    locked = archive.locked("board")
    assert [file.read_text() for file in archive.fetch(locked)] == [f"{one.name} {one.version}" for one in locked]


def test_a_locked_version_that_the_archive_has_no_more_is_named(
    lists: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    archive.write_lock(archive.resolve("board"))
    newer = [(name, "2" if name == "libpisp1" else "1", asked) for name, asked in _RASPBERRY.items()]
    _publish(tmp_path / "sites" / "raspberry", "trixie", newer)
    with pytest.raises(Failure, match=r"^apt says above .* run `make image-lock FLAVOUR=board`$"):
        archive.fetch(archive.locked("board"))
    assert "libpisp1" in capfd.readouterr().err
