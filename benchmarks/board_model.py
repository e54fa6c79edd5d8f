"""A model of the smallest board: instructions of every stage of every beat, on an emulated Cortex-A53.

    benchmarks/a53/prepare.sh                # once: makes the emulator (five minutes, on Debian, as root)
    python benchmarks/board_model.py [--scenes 6] [--made build/a53] [--json FILE]

The beats are those of seeded scenes, a person who comes and goes before pictures of all kinds. Instructions repeat to
0.01 %; milliseconds are an ESTIMATE: they take a Cortex-A53 at 1 GHz to finish between half an instruction a cycle
(pessimistic: it waits for memory) and one (optimistic), on one thread. No board has said yet where between. What
`cuelens bench` prints on a board replaces all of this.
"""

import argparse
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import scenes
from a53.guest import BEAT, CASCADE, END, INVOKE

ROOT: Final = Path(__file__).resolve().parents[1]
GHZ: Final = 1.0
PESSIMISTIC, OPTIMISTIC = 0.5, 1.0
"""Instructions a cycle."""
SEED: Final = 40_000


@dataclass
class Beat:
    """Instructions of one beat, and of the stages in it."""

    total: int
    cascade: int = 0
    invoke: int = 0
    invokes: int = 0


def record(count: int, file: Path) -> None:
    """Write the frames of some scenes one after another, uint8 (frames, 480, 640)."""
    pictures = []
    for seed in range(SEED, SEED + count):
        scene = scenes.visits(seed, count=1)
        pictures += [scene.picture(number)[0] for number in range(scene.frames)]
    np.save(file, np.stack(pictures))


def emulate(made: Path, frames: Path, counts: Path) -> None:
    """Run guest.py on the emulated board; `counts` gets a line for every mark."""
    paths = [made / "site", ROOT / "device", ROOT / "models"]
    given = {
        "PYTHONPATH": ":".join(map(str, paths)),
        "PYTHONHOME": f"{made}/sysroot/usr",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    told = [part for name, value in given.items() for part in ("-E", f"{name}={value}")]
    emulator = [str(made / "qemu-aarch64"), "-cpu", "cortex-a53", "-L", str(made / "sysroot"), *told]
    plugin = ["-plugin", f"{made / 'counter.so'},out={counts}"]
    python = str(made / "sysroot" / "usr" / "bin" / "python3.13")
    subprocess.run([*emulator, *plugin, python, str(ROOT / "benchmarks" / "a53" / "guest.py"), str(frames)], check=True)


def beats(counts: Path) -> list[Beat]:
    """Make beats of marks, without what the marks themselves cost."""
    marks = [tuple(map(int, line.split()[:2])) for line in counts.read_text().splitlines()]
    price = marks[1][1] - marks[0][1]
    found: list[Beat] = []
    opened: list[tuple[int, int]] = []
    beat = Beat(0)
    inside = 0
    for number, executed in marks[2:]:
        if number != END:
            opened.append((number, executed))
            inside += 1
            continue
        stage, since = opened.pop()
        spent = executed - since - price
        inside += 1
        if stage == BEAT:
            beat.total += spent - price * (inside - 2)
            found.append(beat)
            beat, inside = Beat(0), 0
        elif stage == CASCADE:
            beat.cascade += spent
        elif stage == INVOKE:
            beat.invoke += spent
            beat.invokes += 1
    return found


def milliseconds(instructions: float) -> tuple[float, float]:
    """Return the optimistic and the pessimistic end."""
    return instructions / OPTIMISTIC / GHZ / 1e6, instructions / PESSIMISTIC / GHZ / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=6)
    parser.add_argument("--made", type=Path, default=ROOT / "build" / "a53", help="where prepare.sh put things")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    given = parser.parse_args()
    if not (given.made / "site" / "done").exists():
        sys.exit(f"{given.made} is not ready: run benchmarks/a53/prepare.sh first")
    with tempfile.TemporaryDirectory() as folder:
        frames, counts = Path(folder) / "frames.npy", Path(folder) / "counts"
        record(given.scenes, frames)
        emulate(given.made, frames, counts)
        told = beats(counts)
    figures = summary(told)
    for name, (instructions, optimistic, pessimistic) in figures.items():
        print(f"{name:<44} {instructions / 1e6:7.2f} M instructions  {optimistic:5.1f} to {pessimistic:5.1f} ms")
    if given.json:
        given.json.write_bytes(msgspec.json.format(msgspec.json.encode(figures)))


def summary(told: list[Beat]) -> dict[str, tuple[float, float, float]]:
    """Return figures by name: instructions, and the two ends in milliseconds."""
    reading = [beat for beat in told if beat.invokes]
    searching = [beat for beat in told if not beat.invokes]
    totals = [beat.total for beat in told]
    found = {
        f"frame to decision, p95 of {len(told)} beats": float(np.percentile(totals, 95)),
        "frame to decision, mean": float(np.mean(totals)),
        "frame to decision, the dearest beat": float(np.max(totals)),
        f"a face is read ({len(reading)} beats), p95": float(np.percentile([beat.total for beat in reading], 95)),
        f"nobody is read ({len(searching)} beats), p95": float(np.percentile([beat.total for beat in searching], 95)),
        "cascade, mean": float(np.mean([beat.cascade for beat in told])),
        "invoke, one face": float(np.mean([beat.invoke / beat.invokes for beat in reading])),
        "all else, mean": float(np.mean([beat.total - beat.cascade - beat.invoke for beat in told])),
    }
    return {name: (value, *milliseconds(value)) for name, value in found.items()}


if __name__ == "__main__":
    main()
