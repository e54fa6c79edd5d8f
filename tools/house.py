"""The rooms of a package and the imports between them: what `make house` draws and `tests/test_rooms.py` holds.

A room is a folder of the package, or a module beside the folders. The tables of rooms stand in docs/design.md,
section 2, the top floor first. A room may import what its row names, and every name must stand in a lower row.
"""

import argparse
import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

ROOT: Final = Path(__file__).resolve().parents[1]
DESIGN: Final = ROOT / "docs" / "design.md"
DRAWING: Final = ROOT / "docs" / "house.svg"
PACKAGES: Final = {"cuelens": ROOT / "device" / "cuelens", "cuelens_models": ROOT / "models" / "cuelens_models"}

Arrow = tuple[str, str]
"""The room that imports, and the room that it imports."""

_WIDTH: Final = 132
_HEIGHT: Final = 34
_STEP: Final = (148, 74)
_MARGIN: Final = 20


@dataclass(frozen=True, slots=True)
class Import:
    """One import that leaves a room. Files are relative to the package, `module` is the imported one, dotted."""

    file: str
    module: str


def modules(package: Path) -> dict[str, Path]:
    """Return the modules of a package by dotted name."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = (package.name, *path.relative_to(package).with_suffix("").parts)
        found[".".join(parts).removesuffix(".__init__")] = path
    return found


def room_of(module: str) -> str:
    """Return the room of a dotted module: its folder, or itself if it stands beside the folders."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else parts[0]


def arrows(package: Path) -> dict[Arrow, list[Import]]:
    """Return the imports between different rooms of a package, wherever in a file they stand."""
    known = modules(package)
    found: dict[Arrow, list[Import]] = {}
    for name, path in known.items():
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            targets: list[str] = []
            if isinstance(node, ast.Import):
                targets = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                submodules = [f"{node.module}.{alias.name}" for alias in node.names]
                targets = [module if module in known else node.module for module in submodules]
            for target in targets:
                if target in known and target != package.name and room_of(target) != room_of(name):
                    file = str(path.relative_to(package))
                    found.setdefault((room_of(name), room_of(target)), []).append(Import(file, target))
    return found


def table(package: str, design: Path = DESIGN) -> dict[str, tuple[str, ...]]:
    """Return the rooms of a package and what each may import, top floor first, as docs/design.md says.

    Raises ValueError if the document has no such table.
    """
    text = design.read_text("utf-8")
    begin = text.find(f"| rooms of `{package}` |")
    if begin < 0:
        raise ValueError(f"{design} has no table of the rooms of {package}")
    rows = text[begin:].split("\n\n", 1)[0].splitlines()[2:]
    rooms: dict[str, tuple[str, ...]] = {}
    for row in rows:
        names, _, allowed = (cell.strip() for cell in row.strip("|").split(" | "))
        for name in re.findall(r"`(\w+)(?:/|\.py)`", names):
            rooms[name] = tuple(re.findall(r"`(\w+)(?:/|\.py)`", allowed))
    return rooms


def floors(edges: Mapping[Arrow, object]) -> dict[str, int]:
    """Return the floor of each room: 0 for one that imports no other, else one above the highest that it imports."""
    below: dict[str, set[str]] = {}
    for above, under in edges:
        below.setdefault(above, set()).add(under)
        below.setdefault(under, set())
    level: dict[str, int] = {}

    def floor(room: str, path: tuple[str, ...] = ()) -> int:
        if room in path:
            raise ValueError(f"rooms import each other in a circle: {' -> '.join((*path, room))}")
        if room not in level:
            level[room] = max((floor(under, (*path, room)) + 1 for under in below[room]), default=0)
        return level[room]

    for room in below:
        floor(room)
    return level


def drawing(edges: Mapping[Arrow, list[Import]]) -> str:
    """Return the rooms on their floors and the arrows between them, as an SVG that can be read on light and dark."""
    level = floors(edges)
    rows = [sorted(room for room in level if level[room] == floor) for floor in range(max(level.values()), -1, -1)]
    width = 2 * _MARGIN + max(len(row) for row in rows) * _STEP[0]
    height = 2 * _MARGIN + (len(rows) - 1) * _STEP[1] + _HEIGHT
    place = {
        room: (width / 2 + (number - (len(row) - 1) / 2) * _STEP[0], _MARGIN + floor * _STEP[1])
        for floor, row in enumerate(rows)
        for number, room in enumerate(row)
    }
    lines = []
    for above, under in sorted(edges):
        (x1, y1), (x2, y2) = place[above], place[under]
        kind = "far" if level[above] - level[under] > 1 else "near"
        lines.append(
            f'<line x1="{x1:.0f}" y1="{y1 + _HEIGHT:.0f}" x2="{x2:.0f}" y2="{y2:.0f}" class="{kind}"'
            f' marker-end="url(#tip)"><title>{escape(f"{above} -> {under}")}</title></line>'
        )
    boxes = [
        f'<rect x="{x - _WIDTH / 2:.0f}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="5"/>'
        f'<text x="{x:.0f}" y="{y + 22}">{escape(room)}</text>'
        for room, (x, y) in place.items()
    ]
    style = (
        "rect{fill:#fdf6e3;stroke:#586e75}text{font:14px sans-serif;text-anchor:middle;fill:#073642}"
        "line{stroke:#268bd2;stroke-width:1.6}.far{stroke:#93a1a1;stroke-width:.8}path{fill:#268bd2}"
    )
    tip = (
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z"/></marker></defs>'
    )
    what = "The rooms of the package that runs on the glasses, and what imports what"
    size = f"{width:.0f} {height:.0f}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img" aria-label="{what}">',
            f"<style>{style}</style>",
            tip,
            *lines,
            *boxes,
            "</svg>\n",
        ]
    )


def drawn(svg: str) -> set[Arrow]:
    """Return the arrows of a drawing."""
    return {(above, under) for above, under in re.findall(r"<title>(\w+) -&gt; (\w+)</title>", svg)}


def main() -> None:
    """Write the drawing and print the figures."""
    argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "").parse_args()
    DRAWING.write_text(drawing(arrows(PACKAGES["cuelens"])), "utf-8")
    for name, package in PACKAGES.items():
        edges = arrows(package)
        level = floors(edges)
        files = {
            folder: sum(path.stem != "__init__" for path in folder.glob("*.py"))
            for folder in {path.parent for path in package.rglob("*.py")}
        }
        largest = max(files, key=lambda folder: files[folder])
        print(
            f"{name}: {len(level)} rooms on {max(level.values()) + 1} floors, {len(edges)} arrows between them;"
            f" the largest folder, {largest.relative_to(package.parent)}, has {files[largest]} modules"
        )
    print(f"the drawing: {DRAWING.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
