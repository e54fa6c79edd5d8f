"""Kills a process at random moments of every write, and reads what is left: python writers.py FOLDER KIND KILLS.

It prints JSON: how many kills there were, how many of them left a temporary file, and how long a write takes.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cuelens import events
from cuelens.adapters import last_resort
from cuelens.profile import store
from cuelens.profile.library import Library
from cuelens.runtime.wishes import Wishes
from cuelens.settings import Pins
from cuelens.story import query
from cuelens.story.store import FILE, set_aside_of
from cuelens.story.writer import Writer
from cuelens_models.atomic_file import make_folder, write_whole

VERSIONS = tuple(f'{{"wearer": "{name}", "cues": {{}}}}\n'.encode() + 3000 * b" " for name in "AB")
CLIPS = tuple(bytes([number]) * 60_000 for number in (1, 2))


@dataclass
class Kind:
    """One kind of file: what writes a version of it, and what reads it afterwards, raising if it is not whole."""

    write: Callable[[Path, int], None]
    read: Callable[[Path], None]


def _wishes(state: Path, turn: int) -> None:
    wishes = Wishes(state / "wearer.json")
    wishes.answered_first = (bool(turn % 2),) * 100
    assert wishes.keep() == ""


def _read_wishes(state: Path) -> None:
    wishes = Wishes(state / "wearer.json")
    assert wishes.fault == ""
    assert len(set(wishes.answered_first)) <= 1


def _draft(state: Path, turn: int) -> None:
    Library(state).write_draft(VERSIONS[turn % 2])


def _read_draft(state: Path) -> None:
    draft = Library(state).draft
    assert not draft.exists() or draft.read_bytes() in VERSIONS


def _save(state: Path, turn: int) -> None:
    library = Library(state)
    library.write_draft(VERSIONS[turn % 2])
    library.save_draft()


def _read_saved(state: Path) -> None:
    _read_draft(state)
    library = Library(state)
    found = library.read_active()
    # Before the first save there is none.
    assert found.content in (*VERSIONS, b"")
    assert found.fault == ""
    assert all(file.read_bytes() in VERSIONS for file in library.folder.glob("*.json"))


def _good(state: Path, turn: int) -> None:
    make_folder(state / "profiles")
    write_whole(state / "profiles" / "default.json", VERSIONS[turn % 2])
    assert store.keep_good(state, store.active(state)) == ""


def _read_good(state: Path) -> None:
    good = state / "good" / "default.json"
    assert not good.exists() or good.read_bytes() in VERSIONS


def _choose(state: Path, turn: int) -> None:
    make_folder(state / "profiles")
    for name in "ab":
        write_whole(state / "profiles" / f"{name}.json", VERSIONS[0])
    Library(state).choose("ab"[turn % 2])


def _read_chosen(state: Path) -> None:
    assert store.active_path(state).stem in ("a", "b", "default")


LAMPS = [f"chip 0\n{red} 0 1000\n27 0 438\n22 0 0\n24 0 0\n" for red in (5, 6)]


def _pins(state: Path, turn: int) -> None:
    make_folder(state)
    os.environ["STATE_DIRECTORY"] = str(state)
    last_resort.leave_lamps(0, Pins(red=5 + turn % 2))


def _read_pins(state: Path) -> None:
    lamps = (state / "lamps").read_text() if (state / "lamps").exists() else LAMPS[0]
    assert lamps in LAMPS


def _phrase(state: Path, turn: int) -> None:
    make_folder(state / "phrases")
    write_whole(state / "phrases" / "phrase.wav", CLIPS[turn % 2])


def _read_phrase(state: Path) -> None:
    file = state / "phrases" / "phrase.wav"
    assert not file.exists() or file.read_bytes() in CLIPS


def _story(state: Path, _turn: int) -> None:
    writer = Writer(state / FILE, lambda *_fault: os._exit(3), every_s=0.001)
    writer(events.Session(t=0.0, state="began"))
    for number in range(20):
        writer(events.Press(t=number / 10, gesture="ask"))
        time.sleep(0.0005)
    writer(events.Session(t=2.0, state="ended", why="stopped"))
    writer.close()


def _read_story(state: Path) -> None:
    if (state / FILE).exists():
        for session in query.sessions(state / FILE):
            presses = [entry.t for entry in query.of_day(state / FILE, query.day_of(session))[-1].entries]
            assert presses == sorted(presses)
    assert set_aside_of(state / FILE) == []


KINDS = {
    "the wearer's wishes": Kind(_wishes, _read_wishes),
    "a profile's draft": Kind(_draft, _read_draft),
    "a saved profile": Kind(_save, _read_saved),
    "the last good profile": Kind(_good, _read_good),
    "which profile is active": Kind(_choose, _read_chosen),
    "the pins of the lamps": Kind(_pins, _read_pins),
    "a rendered phrase": Kind(_phrase, _read_phrase),
    "the story": Kind(_story, _read_story),
}


def main() -> None:
    """Kill and look, so many times."""
    folder, name, kills = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
    kind, chance = KINDS[name], random.Random(name)  # noqa: S311 - a seed, no secret
    began_s = time.monotonic()
    kind.write(folder / "whole", 0)
    kind.read(folder / "whole")
    write_s = time.monotonic() - began_s
    state, left = folder / "state", 0
    for _ in range(kills):
        child = os.fork()
        if child == 0:
            turn = 0
            while True:
                kind.write(state, turn)
                turn += 1
        # Some kills meet the first write, most a later one.
        time.sleep(chance.uniform(0.0, 0.06))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        assert os.WTERMSIG(status) == signal.SIGKILL, status
        kind.read(state)
        left += bool(list(state.rglob("*.tmp")))
        # The next write goes through whatever lies there.
        kind.write(state, 0)
        kind.read(state)
        shutil.rmtree(state, ignore_errors=True)
    print(json.dumps({"kills": kills, "temporary": left, "write_s": write_s}))


if __name__ == "__main__":
    main()
