"""A model of the smallest board: it counts the instructions of each stage of a beat on an emulated Cortex-A53.

    benchmarks/a53/prepare.sh                # once: builds the emulator (five minutes, on Debian, as root)
    python benchmarks/board_model.py [--scenes 6] [--made build/a53] [--json FILE]

The beats are those of seeded scenes: a person comes and goes in front of various pictures. Instruction counts repeat to
0.01 %. Milliseconds are an ESTIMATE for one thread at 1 GHz: they assume that a Cortex-A53 finishes between half an
instruction a cycle (pessimistic: it waits for memory) and one (optimistic). No board has been measured yet; the output
of `cuelens bench` on a board replaces this model.
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
    """Instructions of one beat and of its stages."""

    total: int
    cascade: int = 0
    invoke: int = 0
    invokes: int = 0


def record(count: int, file: Path) -> None:
    """Write the frames of `count` scenes to one array, uint8 (frames, 480, 640)."""
    pictures = []
    for seed in range(SEED, SEED + count):
        scene = scenes.visits(seed, count=1)
        pictures += [scene.picture(number)[0] for number in range(scene.frames)]
    np.save(file, np.stack(pictures))


def emulate(tools: Path, frames: Path, counts: Path) -> None:
    """Run guest.py on the emulated board.

    Args:
        tools: folder that prepare.sh filled.
        frames: array of frames to process.
        counts: file that gets a line for every mark.
    """
    paths = [tools / "site", ROOT / "device", ROOT / "models"]
    environment = {
        "PYTHONPATH": ":".join(map(str, paths)),
        "PYTHONHOME": f"{tools}/sysroot/usr",
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    variables = [part for name, value in environment.items() for part in ("-E", f"{name}={value}")]
    emulator = [str(tools / "qemu-aarch64"), "-cpu", "cortex-a53", "-L", str(tools / "sysroot"), *variables]
    plugin = ["-plugin", f"{tools / 'counter.so'},out={counts}"]
    python = str(tools / "sysroot" / "usr" / "bin" / "python3.13")
    subprocess.run([*emulator, *plugin, python, str(ROOT / "benchmarks" / "a53" / "guest.py"), str(frames)], check=True)


def beats(counts: Path) -> list[Beat]:
    """Return the beats between the marks, without the cost of the marks themselves."""
    marks = [tuple(map(int, line.split()[:2])) for line in counts.read_text().splitlines()]
    mark_cost = marks[1][1] - marks[0][1]
    complete: list[Beat] = []
    open_stages: list[tuple[int, int]] = []
    beat = Beat(0)
    inside = 0
    for number, executed in marks[2:]:
        if number != END:
            open_stages.append((number, executed))
            inside += 1
            continue
        stage, since = open_stages.pop()
        spent = executed - since - mark_cost
        inside += 1
        if stage == BEAT:
            beat.total += spent - mark_cost * (inside - 2)
            complete.append(beat)
            beat, inside = Beat(0), 0
        elif stage == CASCADE:
            beat.cascade += spent
        elif stage == INVOKE:
            beat.invoke += spent
            beat.invokes += 1
    return complete


def milliseconds(instructions: float) -> tuple[float, float]:
    """Return the optimistic and the pessimistic estimate."""
    return instructions / OPTIMISTIC / GHZ / 1e6, instructions / PESSIMISTIC / GHZ / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=6)
    parser.add_argument("--made", type=Path, default=ROOT / "build" / "a53", help="folder that prepare.sh filled")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    options = parser.parse_args()
    if not (options.made / "site" / "done").exists():
        sys.exit(f"{options.made} is not ready: run benchmarks/a53/prepare.sh first")
    with tempfile.TemporaryDirectory() as folder:
        frames, counts = Path(folder) / "frames.npy", Path(folder) / "counts"
        record(options.scenes, frames)
        emulate(options.made, frames, counts)
        measured = beats(counts)
    figures = summary(measured)
    for name, (instructions, optimistic, pessimistic) in figures.items():
        print(f"{name:<44} {instructions / 1e6:7.2f} M instructions  {optimistic:5.1f} to {pessimistic:5.1f} ms")
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(figures)))


def summary(all_beats: list[Beat]) -> dict[str, tuple[float, float, float]]:
    """Return figures by name: instructions, then the two estimates in milliseconds."""
    reading = [beat for beat in all_beats if beat.invokes]
    searching = [beat for beat in all_beats if not beat.invokes]
    totals = [beat.total for beat in all_beats]
    figures = {
        f"frame to decision, p95 of {len(all_beats)} beats": float(np.percentile(totals, 95)),
        "frame to decision, mean": float(np.mean(totals)),
        "frame to decision, the dearest beat": float(np.max(totals)),
        f"a face is read ({len(reading)} beats), p95": float(np.percentile([beat.total for beat in reading], 95)),
        f"nobody is read ({len(searching)} beats), p95": float(np.percentile([beat.total for beat in searching], 95)),
        "cascade and looks, mean": float(np.mean([beat.cascade for beat in all_beats])),
        "invoke, one face": float(np.mean([beat.invoke / beat.invokes for beat in reading])),
        "all else, mean": float(np.mean([beat.total - beat.cascade - beat.invoke for beat in all_beats])),
    }
    return {name: (value, *milliseconds(value)) for name, value in figures.items()}


if __name__ == "__main__":
    main()
