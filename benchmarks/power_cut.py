"""How the files of the glasses stand power cuts: each writer is killed at random times, again and again.

    python benchmarks/power_cut.py [--kills 1000] [--jobs 2] [--seed 0] [--folder FOLDER] [--only WRITER]
    python benchmarks/power_cuts/story.py [--kills 500]

A writer writes one version after another, as fast as it can. It is killed (SIGKILL) up to 30 ms after one that it
told of, and the next one goes on in the same folder. After each kill the files are read as a start of the glasses reads
them. Each must be whole: the version that was told, or the next. A profile must be in force without a fault. No
temporary file may stay. The kills are spread evenly over the writers. The story has a benchmark of its own, since it
may lose a second.

A kill is only a part of a power cut: what the kernel has not written yet survives a kill. So a test (tests/models/
test_atomic_file.py) checks the order of the system calls: a file is synced before its rename, its folder after it.
"""

import argparse
import multiprocessing
import sys
import tempfile
import time
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.power_cuts.kill import Verdict, kill_again
from benchmarks.power_cuts.writers import WRITERS

_SHOWN_S = 30.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=2, help="writers at the same time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to write the files, for example the card of a board")
    parser.add_argument("--only", choices=[writer.name for writer in WRITERS], help="kill this writer only")
    options = parser.parse_args()
    places = [place for place, writer in enumerate(WRITERS) if options.only in (None, writer.name)]
    shares = [options.kills // len(places) + (place < options.kills % len(places)) for place in range(len(places))]
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        work = [
            (place, Path(folder) / str(place), share, options.seed + place)
            for place, share in zip(places, shares, strict=True)
        ]
        # Each in a process without threads: a fork takes only its own thread along.
        with multiprocessing.get_context("spawn").Pool(options.jobs, maxtasksperchild=1) as pool:
            verdicts = pool.starmap(kill_one, work, chunksize=1)
    print(f"{'writer':32} {'kills':>7} {'in the middle':>14} {'wrong':>6}")
    for place, verdict in zip(places, verdicts, strict=True):
        print(f"{WRITERS[place].name:32} {verdict.kills:>7} {verdict.halves:>14} {len(verdict.wrong):>6}")
    for sentence in [sentence for verdict in verdicts for sentence in verdict.wrong][:20]:
        print(sentence)
    kills, wrong = sum(verdict.kills for verdict in verdicts), sum(len(verdict.wrong) for verdict in verdicts)
    print(f"{kills - wrong} of {kills} kills left whole files")
    return 1 if wrong else 0


def kill_one(place: int, state: Path, kills: int, seed: int) -> Verdict:
    """Kill one of the writers so many times, and print how far that is."""
    state.mkdir()
    shown_s, done = [time.monotonic()], [0]

    def tick() -> None:
        done[0] += 1
        if time.monotonic() > shown_s[0] + _SHOWN_S:
            shown_s[0] = time.monotonic()
            print(f"{WRITERS[place].name}: {done[0]} of {kills}", flush=True)

    return kill_again(WRITERS[place], state, kills, seed, tick)


if __name__ == "__main__":
    sys.exit(main())
