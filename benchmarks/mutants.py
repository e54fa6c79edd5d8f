"""Change the pure rooms in one place at a time, and count the changes that their tests notice.

    python benchmarks/mutants.py [ROOM...] [--places 40] [--seed 0]

Rooms: cues, light, profile, vision, calibration, bundle; all if none is named. cosmic-ray makes the changes
(`pip install cosmic-ray`): another number, operator or comparison, a loop that never runs. The seed draws the places,
and a change for each. A copy of the packages is changed. A change is caught if a test of the room fails, or its tests
take ten times as long; what cannot be imported any more does not count. Each one that is not caught is printed. Exit
status 1: under 90 % are caught.
"""

import argparse
import ast
import importlib.util
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CUELENS, MODELS = "device/cuelens", "models/cuelens_models"
ROOMS = {
    "cues": (f"{CUELENS}/cues", "*", "device/cues/test_[!l]*.py device/cues/test_limits.py"),
    "light": (f"{CUELENS}/light", "*", "device/light/test_*.py"),
    "profile": (f"{CUELENS}/profile", "cue_book perceptible phrases profile rules",
                "test_profile_schema.py device/profile/test_[!f]*.py"),
    "vision": (f"{CUELENS}/vision", "boxes optics picture_state sweep tracker",
               "device/vision/test_*.py device/adapters/test_frames.py"),
    "calibration": (f"{CUELENS}/calibration", "*", "device/calibration/test_*.py"),
    "bundle": (f"{MODELS}/bundle", "contract expressions flatbuffer golden preprocess scores",
               "models/bundle/test_[!ft]*.py models/bundle/test_flatbuffer.py"),
}  # fmt: skip
"""Of each room: its folder, its modules, and its tests in the order in which they run, the slowest last."""
LEAST_CAUGHT = 0.9
_COMPARISON = "core/ReplaceComparisonOperator_"
_LEFT_OUT = (
    *("core/ExceptionReplacer", "core/RemoveDecorator"),
    *(_COMPARISON + change for change in ("Eq_Is", "Is_Eq", "NotEq_IsNot", "IsNot_NotEq")),
)
"""The first fails at a name with a dot. A decorator is a declaration. Whether equal numbers are the same object is
chance, and None equals nothing else."""
_HANGS = 10
_FAILED, _NOT_COLLECTED = 1, (2, 4)
"""What pytest exits with."""

Span = tuple[tuple[int, int], tuple[int, int]]


def declarations(source: str) -> Iterator[Span]:
    """Yield the places of types, decorators and options of classes: a change there is one of no behaviour."""
    for node in ast.walk(ast.parse(source)):
        parts = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        parts += [*getattr(node, "decorator_list", ()), *(node.keywords if isinstance(node, ast.ClassDef) else ())]
        for part in filter(None, parts):
            yield (part.lineno, part.col_offset), (part.end_lineno, part.end_col_offset)


def places(source: str) -> dict[Span, list[tuple[str, int]]]:
    """Return the changes that can be made at each place of a file, as cosmic-ray names and numbers them."""
    from cosmic_ray import plugins
    from cosmic_ray.ast import ast_nodes, get_ast

    found: dict[Span, list[tuple[str, int]]] = defaultdict(list)
    nodes = list(ast_nodes(get_ast(source)))
    for name in plugins.operator_names():
        operator = plugins.get_operator(name)
        if not operator.arguments() and name not in _LEFT_OUT:
            spans = [span for node in nodes for span in operator().mutation_positions(node)]
            for number, span in enumerate(spans):
                found[span].append((name, number))
    left_out = list(declarations(source))
    return {span: kinds for span, kinds in found.items() if not any(a <= span[0] and span[1] <= b for a, b in left_out)}


def tried(copy: Path, tests: list[str], deadline_s: float | None) -> int:
    """Run tests on a copy of the packages. Returns pytest's exit status; that of a failed test after the deadline."""
    folders = [copy / "device", copy / "models", ROOT / "convert", ROOT]
    own = {"PYTHONPATH": os.pathsep.join(map(str, folders)), "PYTHONDONTWRITEBYTECODE": "1"}
    options = ["-q", "-x", "-m", "not slow", "-p", "no:cacheprovider", "--hypothesis-seed=0"]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    try:
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | own, capture_output=True, timeout=deadline_s, check=False
        )
    except subprocess.TimeoutExpired:
        return _FAILED
    return done.returncode


def try_room(copy: Path, room: str, count: int, chance: random.Random) -> tuple[int, int, list[str]]:
    """Return how many changes were caught, how many left no program, and the rest. Exits if tests fail before."""
    from cosmic_ray import plugins
    from cosmic_ray.mutating import mutate_code

    folder, modules, patterns = ROOMS[room]
    tests = [str(file) for pattern in patterns.split() for file in sorted((ROOT / "tests").glob(pattern))]
    began_s = time.monotonic()
    if tried(copy, tests, None):
        sys.exit(f"tests fail without a change: run pytest {' '.join(tests)}")
    deadline_s = _HANGS * (time.monotonic() - began_s)
    paths = [path for name in modules.split() for path in sorted((copy / folder).rglob(f"{name}.py"))]
    every = [(path, *place) for path in paths for place in sorted(places(path.read_text()).items())]
    caught, broken, survivors = 0, 0, []
    for path, ((line, _), _), kinds in chance.sample(every, min(count, len(every))):
        source = path.read_text()
        name, number = chance.choice(kinds)
        changed = mutate_code(source, plugins.get_operator(name)(), number)
        path.write_text(changed)
        status = tried(copy, tests, deadline_s)
        path.write_text(source)
        caught += status == _FAILED
        broken += status in _NOT_COLLECTED
        if not status:
            was, now = (text.splitlines()[line - 1].strip() for text in (source, changed))
            survivors.append(f"{path.relative_to(copy)}:{line}\n      {was}\n      {now}")
    return caught, broken, survivors


def row(name: str, caught: int, broken: int, survived: int) -> str:
    """Return a row of the table."""
    return f"{name:12} {caught + broken + survived:8} {caught:8} {broken:11} {caught / max(caught + survived, 1):7.1%}"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("rooms", nargs="*", choices=[*ROOMS, []], help="all if none is named")
    parser.add_argument("--places", type=int, default=40, help="places to change in each room")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of places and changes")
    given = parser.parse_args()
    if importlib.util.find_spec("cosmic_ray") is None:
        parser.error("cosmic-ray is not installed: run `pip install cosmic-ray`")
    os.nice(19)
    print("room          changes   caught  no program   share", flush=True)
    whole = [0, 0, 0]
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        for package in (CUELENS, MODELS):
            shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
        for room in given.rooms or ROOMS:
            caught, broken, survivors = try_room(copy, room, given.places, random.Random(f"{given.seed} {room}"))  # noqa: S311
            whole = [sum(pair) for pair in zip(whole, (caught, broken, len(survivors)), strict=True)]
            print(row(room, caught, broken, len(survivors)), *survivors, sep="\n  ", flush=True)
    print(row("all", *whole))
    sys.exit(whole[0] < LEAST_CAUGHT * (whole[0] + whole[2]))


if __name__ == "__main__":
    main()
