"""How much of the story a power cut loses: the writer is killed at random times, again and again, on one file.

    python benchmarks/power_cuts/story.py [--kills 500] [--jobs 8] [--seed 0] [--folder FOLDER]

Each run writes a session of numbered presses, fifty a second, and is killed 0.05 to 2.5 s of presses after the first.
The file is checked in a copy, so the next writer finds it as the kill left it. The file must be undamaged. Presses
written more than a second before the kill must be there, in order and without a gap. Earlier sessions must be there
too, unless they are over 30 days old: the wall clock of each run is a day ahead of the run before.

Ages are told in time that the writer had: where no press came for longer than a tenth of a second, as on a machine that
stood still, only that tenth counts.

A kill is only a part of a power cut: data that the kernel has not written yet survives a kill. `synchronous=FULL` makes
a commit wait for the disk; tests/device/story/test_writing.py checks that it is set.

The writer commits twice a second. `--commit-every SECONDS` sets another interval, to test this check itself.
"""

import argparse
import itertools
import random
import shutil
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from cuelens import events
from cuelens.story import store
from cuelens.story.writer import Writer

KILL_S = (0.05, 2.5)
LASTING_S = 1.0
EVERY_S = 0.02
GAP_S = 0.1
"""The longest time between two presses of a writer that runs."""
BEGAN_S = 1_790_000_000.0
DAY_S = 86400.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one kill. lost: missing presses that had to be there. recent_s: age of the first missing press."""

    damaged: bool
    lost: int
    recent_s: float


def judge(presses: Sequence[tuple[int, float]], numbers: Sequence[int], killed_s: float) -> tuple[int, float]:
    """Return how many presses are lost against the rule, and the age of the oldest missing press at the kill.

    Args:
        presses: number (from 0 on) and time of each press that was handed to the writer.
        numbers: the numbers in the file. The first one out of order counts as missing, and so do all after it.
        killed_s: time of the kill.
    """
    intact = next((place for place, number in enumerate(numbers) if number != place), len(numbers))
    missing = [killed_s - at_s for number, at_s in presses if number >= intact]
    return sum(age_s > LASTING_S for age_s in missing), max(missing, default=0.0)


def without_gaps(presses: Sequence[tuple[int, float]], killed_s: float) -> tuple[list[tuple[int, float]], float]:
    """Return presses and kill with their times in time that the writer had: longer gaps are cut to `GAP_S`."""
    times = [at_s for _, at_s in presses]
    gaps = [min(later_s - at_s, GAP_S) for at_s, later_s in itertools.pairwise([*times, killed_s])]
    *had, end_s = itertools.accumulate(gaps, initial=times[0])
    return [(number, at_s) for (number, _), at_s in zip(presses, had, strict=True)], end_s


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=8, help="files written at the same time")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, help="where to write the files, for example the card of a board")
    parser.add_argument("--commit-every", type=float, default=0.5, metavar="SECONDS")
    parser.add_argument("--write", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--day", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.write:
        write(options.write, options.day, options.commit_every)
    shares = [len(range(job, options.kills, options.jobs)) for job in range(min(options.jobs, options.kills))]
    with tempfile.TemporaryDirectory(dir=options.folder) as folder, ThreadPoolExecutor(len(shares)) as pool:
        jobs = [
            pool.submit(kill_again, Path(folder) / str(job), share, options.seed + job, options.commit_every)
            for job, share in enumerate(shares)
        ]
        verdicts = [verdict for job in jobs for verdict in job.result()]
    damaged = sum(verdict.damaged for verdict in verdicts)
    lost = sum(verdict.lost for verdict in verdicts)
    recent = [verdict.recent_s for verdict in verdicts]
    print(
        f"{len(verdicts)} kills: {damaged} damaged files, {lost} rows older than a second lost; "
        f"most recent loss: p50 {statistics.median(recent):.2f} s, max {max(recent):.2f} s"
    )
    return 1 if damaged or lost else 0


def kill_again(folder: Path, kills: int, seed: int, commit_every_s: float) -> list[Verdict]:
    """Write to one file and kill the writer, again and again. Checks the file after each kill."""
    chance = random.Random(seed)  # noqa: S311 - the moment of a kill is no secret
    folder.mkdir()
    path = folder / store.FILE
    days: dict[int, int] = {}
    presses: dict[int, int] = {}
    verdicts = []
    for day in range(kills):
        written, killed_s = write_and_kill(path, day, chance.uniform(*KILL_S), commit_every_s)
        whole, counts, numbers = look(path, days)
        written, killed_s = without_gaps(written, killed_s)
        lost, recent_s = judge(written, numbers, killed_s)
        young = [session for session in days if day - days[session] < store.RETENTION_DAYS]
        lost += sum(presses[session] for session in young if counts.get(session) != presses[session])
        verdicts.append(Verdict(not whole, lost, recent_s))
        for session in counts.keys() - days:
            days[session], presses[session] = day, counts[session]
    return verdicts


def write_and_kill(
    path: Path, day: int, after_s: float, commit_every_s: float
) -> tuple[list[tuple[int, float]], float]:
    """Start a writer and kill it `after_s` after its first press. Returns its presses with times, and its end."""
    command = [sys.executable, __file__, "--write", str(path), "--day", str(day), "--commit-every", str(commit_every_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        # It falls due by the presses: a writer that stood still has not had the time.
        lines = [writer.stdout.readline() for _ in range(1 + int(after_s / EVERY_S))]
        time.sleep(after_s % EVERY_S)
        # Taken before the kill, so the age of a press is never overestimated.
        killed_s = time.monotonic()
        writer.kill()
        lines += writer.stdout.read().splitlines(keepends=True)
    rows = [line.split() for line in lines if line.endswith("\n")]
    return [(int(number), float(at_s)) for number, at_s in rows], killed_s


def look(path: Path, earlier: Collection[int]) -> tuple[bool, dict[int, int], list[int]]:
    """Check a copy of the file. Returns whether it is undamaged, counts by session, and numbers of the new session."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / store.FILE
        for file, place in zip(store.files_of(path)[:2], store.files_of(copy), strict=False):
            if file.exists():
                shutil.copy(file, place)
        try:
            with closing(sqlite3.connect(copy)) as db:
                whole = [row[0] for row in db.execute("PRAGMA integrity_check")] == ["ok"]
                if not db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                    # The kill came before the first table was created.
                    return whole, {}, []
                counts = dict(db.execute("SELECT session, count(*) FROM event GROUP BY session").fetchall())
                newest = max(counts.keys() - set(earlier), default=0)
                rows = db.execute("SELECT word FROM event WHERE session = ? ORDER BY id", (newest,))
                return whole, counts, [int(word) for (word,) in rows]
        except sqlite3.Error:
            return False, {}, []


def write(path: Path, day: int, commit_every_s: float) -> NoReturn:
    """Write presses until killed. Prints the number and time of each press."""
    begun_s = time.monotonic()

    def fault(fault: str, detail: str) -> None:
        print(f"{fault}: {detail}", file=sys.stderr)

    def clock() -> float:
        return BEGAN_S + day * DAY_S + time.monotonic() - begun_s

    writer = Writer(path, fault, clock=clock, every_s=commit_every_s)
    writer(events.Session(t=0.0, state="began"))
    for number in itertools.count():
        writer(events.Press(t=time.monotonic() - begun_s, gesture=str(number)))
        print(number, time.monotonic(), flush=True)
        time.sleep(EVERY_S)
    raise AssertionError


if __name__ == "__main__":
    sys.exit(main())
