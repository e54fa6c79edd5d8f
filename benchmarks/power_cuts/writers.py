"""The writers of the glasses' files, and what the next start must find after one of them was killed.

A writer makes version 0, 1, 2, ... of its files. A check reads them as the glasses do, and says what is wrong, or
nothing. A version that was told as written must be there; the one after it may be, whole.
"""

import contextlib
import io
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import numpy as np
from benchmarks.fuzzing import bundles

from cuelens import events, settings
from cuelens.adapters import last_resort
from cuelens.commands import access_point, replay
from cuelens.commands.card import Places, take
from cuelens.commands.card_parts import Parts
from cuelens.profile import store
from cuelens.profile.library import FACTORY, Library
from cuelens.profile.profile import Profile
from cuelens.runtime.event_file import EventFile
from cuelens.runtime.wishes import Wishes
from cuelens.settings import Pins
from cuelens.sound import clip, recording
from cuelens.sound.clip import Clip
from cuelens_models.atomic_file import make_folder, write_whole
from cuelens_models.bundle import file
from cuelens_models.errors import CuelensError

_RATE = 8000
_KEPT = 3
"""Earlier versions of a profile are kept for ever. So many stay here, since thousands would be slow to list."""


@dataclass(frozen=True, slots=True)
class Writer:
    """A writer.

    Attributes:
        name: for the table.
        write: writes version n of its files into a state folder, and returns when all of it counts as written.
        check: returns what is wrong with the files in the folder, "" if nothing is. It gets the versions that may be
            there.
    """

    name: str
    write: Callable[[Path, int], None]
    check: Callable[[Path, Sequence[int]], str]


def _profile(n: int) -> bytes:
    """Return a profile. Odd ones are long, so that a part of one is no whole other one."""
    return msgspec.json.encode(Profile(wearer=f"{n:0{40 if n % 2 else 1}}"))


def _in_force(state: Path, versions: Sequence[int]) -> str:
    """Say what is wrong with the active profile, or with any other file of a profile."""
    active = store.active(state)
    if active.fault:
        return active.fault
    for path in (state / "profiles").glob("*.json"):
        store.in_force(path)
    if int(active.profile.wearer.replace("wearer", "-1")) not in versions:
        return f"version {active.profile.wearer} is in force, not one of {list(versions)}"
    return ""


def _save(state: Path, n: int) -> None:
    library = Library(state)
    library.write_draft(_profile(n))
    library.save_draft()


def _saved(state: Path, versions: Sequence[int]) -> str:
    wrong = _in_force(state, versions)
    draft = Library(state).draft
    if draft.exists():
        store.in_force(draft)
    for kept in sorted((state / "profiles").glob("default-*.json"))[:-_KEPT]:
        kept.unlink()
    return wrong


def _change(state: Path, n: int) -> None:
    """Make a profile, use it, and go back to the first one without it."""
    library = Library(state)
    if not library.active.exists():
        library.write_draft(FACTORY)
        library.save_draft()
    for name in set(library.names()) - {library.name}:
        library.remove(name)
    # The one before may have been killed when this profile was made and not told of yet.
    name = f"child{n}" if f"child{n}" not in library.names() else f"child{n}again"
    library.create(name)
    if n % 3 == 0:
        library.choose(next(other for other in library.names() if other != name))


def _changed(state: Path, _versions: Sequence[int]) -> str:
    names = Library(state).names()
    return _in_force(state, [-1]) or ("" if len(names) <= 3 else f"there are {names}")


def _reset(state: Path, n: int) -> None:
    library = Library(state)
    for name in ("mia", "ben"):
        if name not in library.names():
            library.create(name)
    store.keep_good(state, store.active(state))
    library.record("happy", _wav(n))
    library.reset()


def _was_reset(state: Path, _versions: Sequence[int]) -> str:
    return _in_force(state, [-1])


def _keep_good(state: Path, n: int) -> None:
    store.keep_good(state, store.ProfileInForce(Profile(), state / "profiles", name="mia", content=_profile(n)))


def _good(state: Path, versions: Sequence[int]) -> str:
    found = store.read(state / "good" / "mia.json").wearer
    return "" if int(found) in versions else f"version {found} is kept, not one of {list(versions)}"


def _wish(state: Path, n: int) -> None:
    wishes = Wishes(state / "wearer.json")
    wishes.muted = bool(n % 2)
    wishes.answered_first = tuple(bool(n >> bit & 1) for bit in range(20))
    if trouble := wishes.keep():
        raise AssertionError(trouble)


def _wished(state: Path, versions: Sequence[int]) -> str:
    wishes = Wishes(state / "wearer.json")
    found = sum(answer << bit for bit, answer in enumerate(wishes.answered_first))
    if wishes.fault or (found in versions and wishes.muted == bool(found % 2)):
        return wishes.fault
    return f"version {found} is stored, not one of {list(versions)}"


def _remember(state: Path, n: int) -> None:
    os.environ["STATE_DIRECTORY"] = str(state)
    last_resort.leave_lamps(0, Pins(red=n % 14))


def _remembered(state: Path, versions: Sequence[int]) -> str:
    chip, red, *others = (state / "lamps").read_text().splitlines()
    whole = chip == "chip 0" and len(others) == 3 and int(red.split()[0]) in [n % 14 for n in versions]
    return "" if whole else f"the lamps are {red}, {others}"


def _wav(n: int) -> bytes:
    sound = 9000 * np.sin(np.arange(_RATE // (1 + n % 4)) * 0.2)
    return clip.wav(Clip(sound.astype(np.int16), _RATE))


def _cache(state: Path, n: int) -> None:
    """Store a phrase as `adapters/speech.py` does once it is rendered, which takes too long to be cut often."""
    make_folder(state / "phrases")
    write_whole(state / "phrases" / "0123456789abcdef.wav", _wav(n))


def _cached(state: Path, versions: Sequence[int]) -> str:
    found = len(clip.read(state / "phrases" / "0123456789abcdef.wav").samples)
    return "" if found in [_RATE // (1 + n % 4) for n in versions] else f"{found} samples of a phrase"


def _record(state: Path, n: int) -> None:
    Library(state).record("happy", _wav(n))


def _recorded(state: Path, versions: Sequence[int]) -> str:
    files = sorted((state / "profiles").glob("*.wav"))
    for path in files:
        recording.read(path)
        path.unlink()
    return ""


def _join(state: Path, n: int) -> None:
    make_folder(state / "card")
    for path in (*(state / "card").iterdir(), state / "cuelens.nmconnection"):
        path.unlink(missing_ok=True)
    with contextlib.redirect_stdout(io.StringIO()):
        access_point.access_point(state, state / "card")


def _joined(state: Path, _versions: Sequence[int]) -> str:
    make_folder(state / "card")
    profile = state / "cuelens.nmconnection"
    before = access_point.read(profile) if profile.exists() else None
    with contextlib.redirect_stdout(io.StringIO()):
        access_point.access_point(state, state / "card")
    network = access_point.read(profile)
    if before and network != before:
        return "the passphrase is another one"
    text = (state / "card" / "cuelens-wifi.txt").read_text()
    return "" if network.passphrase in text else "the card does not tell the passphrase"


def _take(state: Path, n: int) -> None:
    make_folder(state / "card")
    write_whole(state / "card" / "cuelens.toml", _card(n))
    _boot(state)


def _taken(state: Path, versions: Sequence[int]) -> str:
    # A boot after the cut, and one after it.
    for _ in range(2):
        _boot(state)
    if not (state / "card" / "cuelens.toml").exists():
        return ""
    found = settings.read(state / "etc" / "cuelens.toml").camera.fps
    if found not in [2 + n % 50 for n in versions]:
        return f"{found} frames a second, of none of the versions {list(versions)}"
    if list((state / "etc").glob("cuelens-*.toml")):
        return "what the card gave is kept as an edit of somebody"
    return "" if (state / "card" / "cuelens-answer.txt").exists() else "there is no answer"


def _card(n: int) -> bytes:
    return b'country = "DE"\n[camera]\nfps = %d\n' % (2 + n % 50) + b"# \n" * (n % 2 * 500)


def _boot(state: Path) -> None:
    make_folder(state / "card")
    with contextlib.redirect_stdout(io.StringIO()):
        status = take(Places(state / "card", state / "etc", state / "memory"), lambda _: Parts(("ok",), True))
    assert status == 0


def _convert(state: Path, n: int) -> None:
    write_whole(state / "mine.tflite", bundles.small(version=str(n)))


def _converted(state: Path, versions: Sequence[int]) -> str:
    found = file.load(state / "mine.tflite").contract.version
    return "" if int(found) in versions else f"version {found} of the bundle, not one of {list(versions)}"


def _tell(state: Path, n: int) -> None:
    told = EventFile(str(state / "run.jsonl"), patient=True, stop=threading.Event())
    for beat in range(200 + 50 * n):
        told(events.Reading(t=beat / 15, track=1, scores={"neutral": 0.5, "happy": 0.25 + n / 1e6}))
    told.close()


def _told(state: Path, _versions: Sequence[int]) -> str:
    path = state / "run.jsonl"
    whole = path.read_bytes().count(b"\n") if path.exists() else 0
    if whole and (found := len(replay.read(path))) < whole:
        return f"{found} events of {whole}"
    return ""


WRITERS = (
    Writer("profile: save", _save, _saved),
    Writer("profile: create, choose, remove", _change, _changed),
    Writer("profile: reset", _reset, _was_reset),
    Writer("good/", _keep_good, _good),
    Writer("wearer.json", _wish, _wished),
    Writer("pins.json", _remember, _remembered),
    Writer("phrases/", _cache, _cached),
    Writer("recordings", _record, _recorded),
    Writer("network and its card", _join, _joined),
    Writer("settings on the card", _take, _taken),
    Writer("bundle (write_whole)", _convert, _converted),
    Writer("events", _tell, _told),
)
ERRORS = (CuelensError, OSError, ValueError)
