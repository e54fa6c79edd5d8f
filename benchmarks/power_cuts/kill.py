"""Kills a writer in the middle, again and again, and looks at what it leaves."""

import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from benchmarks.power_cuts.writers import ERRORS, Writer

from cuelens.profile import store
from cuelens_models.atomic_file import clear

LIVES_S = (0.0, 0.03)
"""How long a writer lives after it has written a first time."""
_DEADLINE_S = 20.0


@dataclass(slots=True)
class Verdict:
    """What came of the kills of one writer.

    Attributes:
        kills: so many. halves: temporary files that they left, of writes in the middle.
        wrong: what was wrong afterwards, as sentences.
    """

    kills: int = 0
    halves: int = 0
    wrong: list[str] = field(default_factory=list)


def kill_again(writer: Writer, state: Path, kills: int, seed: int, tick: Callable[[], None]) -> Verdict:
    """Let a writer write into a folder and kill it, so many times. Each goes on where the one before was killed."""
    chance = random.Random(seed)  # noqa: S311 - the moment of a kill is no secret
    verdict = Verdict()
    written = -1
    for _ in range(kills):
        before = written
        written = _killed(writer, state, written + 1, chance.uniform(*LIVES_S))
        verdict.kills += 1
        verdict.halves += len(list(state.rglob("*.tmp")))
        # Without a report of the kernel nobody knows whether the one that was under way is there.
        possible = [max(written, before), max(written, before) + 1]
        if wrong := _look(writer, state, possible):
            verdict.wrong.append(f"{writer.name}: {wrong}")
        tick()
    return verdict


def _look(writer: Writer, state: Path, versions: list[int]) -> str:
    """Start anew: tidy, read what is there, and write once more."""
    store.tidy(state)
    # As `access-point` and `card take` do.
    for folder in ("card", "etc", "memory", "memory/given"):
        clear(state / folder)
    if left := list(state.rglob("*.tmp")):
        return f"{left[0]} stays for ever"
    try:
        return writer.check(state, versions)
    except ERRORS as error:
        return f"{type(error).__name__}: {error}"


def _killed(writer: Writer, state: Path, begin: int, lives_s: float) -> int:
    """Fork a writer, kill it `lives_s` after its first version, and return the last version that it told of."""
    told, tells = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(told)
        _write(writer, state, begin, tells)
    os.close(tells)
    try:
        first = os.read(told, 8)
        time.sleep(lives_s)
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        said = first
        while piece := os.read(told, 65_536):
            said += piece
    finally:
        os.close(told)
    if not first:
        raise AssertionError(f"the writer of {writer.name} failed by itself")
    return int.from_bytes(said[-8:], "little")


def _write(writer: Writer, state: Path, begin: int, tells: int) -> NoReturn:
    """Write one version after another, and tell each that is written."""
    try:
        for n in range(begin, begin + 10**9):
            writer.write(state, n)
            os.write(tells, n.to_bytes(8, "little"))
    except BaseException as error:
        os.write(2, f"{writer.name}: {error!r}\n".encode())
    os._exit(1)
