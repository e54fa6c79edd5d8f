"""The command line of the build. `make image` and its neighbours call it."""

import argparse
import hashlib
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from image import archive, base, bill, card, inputs, namespace, python_packages, root, tools, update
from image.failure import Failure
from image.places import OUTPUT, REPOSITORY

_VARIABLES = """
environment:
  CUELENS_MIRROR             a mirror of Debian; otherwise that of this machine's own packages
  CUELENS_RASPBERRY_ARCHIVE  the line of apt for the archive of Raspberry Pi OS (for boards)
  CUELENS_KEY, CUELENS_CERTIFICATE  the maker's key for updates, as PEM; otherwise a key for tests is made
  CUELENS_CACHE              folder of what is slow to make; otherwise ~/.cache/cuelens
"""


def main() -> int:
    """Run a command. Exit status: 0 if all is well, 1 if a step failed, 2 if the command line is wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m image", description=__doc__, epilog=_VARIABLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument(
        "--flavour",
        choices=["board", "emulator"],
        default="emulator",
        help="whose kernel and camera: a board's, or an emulator's (default)",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name, (_, about) in _COMMANDS.items():
        commands.add_parser(name, help=about, description=about)
    words = parser.parse_args()
    try:
        _COMMANDS[words.command][0](words.flavour)
    except Failure as failure:
        print(f"image: {failure}", file=sys.stderr)
        return 1
    return 0


def _lock(flavour: str) -> None:
    archive.write_lock(archive.resolve(flavour))
    if flavour == "board":
        print("packages-board.lock is new: look at `git diff`, then build the image")
        return
    python_packages.write_lock()
    print("packages.lock and wheels.lock are new: look at `git diff`, then build and test the image")


def _fill(_flavour: str) -> None:
    tools.make()
    print(f"the cache has the tools and {base.make()}")


def _build(flavour: str) -> None:
    began = time.monotonic()
    base.make()
    _root(flavour, OUTPUT)
    image = OUTPUT / "cuelens.img"
    _step("the card", lambda: card.make(OUTPUT / "work", image))
    packed = OUTPUT / "cuelens.img.zst"
    _step("compression", lambda: card.compress(image, packed))
    count = bill.check(OUTPUT / "cuelens.cdx.json", flavour)
    sums = [f"{_digest(file)}  {file.name}\n" for file in (image, packed, OUTPUT / "cuelens.cdx.json")]
    (OUTPUT / "SHA256SUMS").write_text("".join(sums))
    shutil.move(OUTPUT / "work" / "root.erofs", _erofs(flavour))
    shutil.move(OUTPUT / "work" / "root.tar", OUTPUT / "root.tar")
    shutil.rmtree(OUTPUT / "work")
    sizes = f"{packed.stat().st_size / 1e6:.0f} MB, {image.stat().st_size / 1e9:.2f} GB on the card"
    name = packed.relative_to(REPOSITORY)
    print(f"{name}: {sizes}, {count} components, {time.monotonic() - began:.0f} s")


def _erofs(flavour: str) -> Path:
    """Return the file of a built root. No update takes the root of another flavour."""
    return OUTPUT / f"root-{flavour}.erofs"


def _root(flavour: str, folder: Path) -> None:
    work = folder / "work"
    if work.exists():
        root.remove(work)
    work.mkdir(parents=True)
    _step("the root", lambda: root.make(flavour, work))
    _step("the bill of materials", lambda: bill.write(work / "root.tar", folder / "cuelens.cdx.json"))


def _again(flavour: str) -> None:
    """Build once more beside the first, and compare."""
    before = OUTPUT / "SHA256SUMS"
    if not before.exists():
        raise Failure("there is nothing to compare with: run `make image` first")
    told = before.read_text()
    _build(flavour)
    if before.read_text() != told:
        raise Failure(f"the second build differs from the first: {told} is now {before.read_text()}")
    print("two builds are equal, byte for byte")


def _update(flavour: str) -> None:
    erofs = _erofs(flavour)
    if not erofs.exists():
        _build(flavour)
    target = OUTPUT / "cuelens.raucb"
    work = OUTPUT / "work"
    work.mkdir(exist_ok=True)
    version = (REPOSITORY / "models" / "cuelens_models" / "version.py").read_text().split('"')[-2]
    _step("the update", lambda: update.bundle(erofs, work, target, version))
    print(f"{target.relative_to(REPOSITORY)}: {target.stat().st_size / 1e6:.0f} MB")


def _state(_flavour: str) -> None:
    """Print cold, warm or tried, and why: in one line, for CI."""
    if not tools.tree().exists() or not base.tar().exists():
        print("cold cache: make image-base fills it, in five to thirty minutes")
    elif trouble := _no_namespace():
        print(f"cold for good: {trouble}")
    elif inputs.tried().exists():
        print(f"tried {inputs.tried().read_text().strip()}")
    else:
        print("warm cache")


def _no_namespace() -> str:
    """Return why nothing can be built on this machine; "" if it can."""
    try:
        namespace.run("true", tools=tools.tree())
    except Failure as failure:
        return str(failure)
    return ""


def _tried(_flavour: str) -> None:
    inputs.tried().parent.mkdir(parents=True, exist_ok=True)
    inputs.tried().write_text(time.strftime("on %Y-%m-%d\n"))


def _step(what: str, do: Callable[[], None]) -> None:
    began = time.monotonic()
    print(f"  {what} ...", end="", flush=True)
    do()
    print(f" {time.monotonic() - began:.0f} s", flush=True)


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


_COMMANDS: dict[str, tuple[Callable[[str], None], str]] = {
    "build": (_build, "make the file that is written to a memory card, its bill of materials and checksums"),
    "again": (_again, "build once more, and fail unless it is the same byte for byte"),
    "update": (_update, "make the signed update for glasses that are in use"),
    "fill": (_fill, "fill the cache: the tools and the base layer, five to thirty minutes"),
    "state": (_state, "say whether the cache is filled, and whether these inputs were tried in the emulator"),
    "tried": (_tried, "note that they were"),
    "lock": (_lock, "take the packages that the archives have now"),
}

if __name__ == "__main__":
    sys.exit(main())
