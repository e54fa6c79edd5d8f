"""Faults of the memory card: full, read-only, damaged, or cut off in the middle of a write."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cuelens import events
from cuelens.link.requests import Calibrate, Draft, FactoryReset, Leave, Press
from cuelens.story import query, store
from cuelens.story.store import Entry
from cuelens.story.writer import Writer
from cuelens_models.errors import BadInput

pytestmark = pytest.mark.slow

KINDS = (
    "the wearer's wishes",
    "a profile's draft",
    "a saved profile",
    "the last good profile",
    "which profile is active",
    "the pins of the lamps",
    "a rendered phrase",
    "the story",
)
needs_espeak = pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")


@pytest.fixture
def mount() -> Iterator[Callable[..., Callable[[], None]]]:
    """Mounts a small file system over a folder, and returns what takes it away."""
    with ExitStack() as ending:

        def over(folder: Path, options: str) -> Callable[[], None]:
            words = ["mount", "-t", "tmpfs", "-o", options, "cuelens-test", str(folder)]
            if os.geteuid() != 0 or subprocess.run(words, capture_output=True, check=False).returncode:
                pytest.skip("only root can mount a file system, and not in every container")
            once = ExitStack()
            # A process may hold a file there.
            once.callback(subprocess.run, ["umount", "--lazy", str(folder)], check=True)
            ending.callback(once.close)
            return once.close

        yield over


def fill(folder: Path) -> Path:
    """Fill a file system to the last byte. Returns the file that does."""
    ballast = folder / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError as error:
                assert error.errno == 28  # noqa: PT017 - any other one is a mistake of this test
    return ballast


def presses(glasses: Any) -> list[str]:
    """Return the presses in the story, over all sessions."""
    path = glasses.state / store.FILE
    days = {query.day_of(session) for session in query.sessions(path)}
    sessions = [session for day in days for session in query.of_day(path, day)]
    return [entry.word for session in sessions for entry in session.entries if entry.kind == "press"]


@needs_espeak
def test_a_full_card_costs_what_cannot_be_kept_and_nothing_else(
    worn: Callable[..., Any], fault_table: Any, mount: Callable[..., Callable[[], None]]
) -> None:
    glasses = worn(cues="light,voice", profile="")
    glasses.state.mkdir()
    mount(glasses.state, "size=8m")
    glasses.profile_file.parent.mkdir()
    glasses.profile_file.write_text('{"sound": {"on": true}}')
    ballast = fill(glasses.state)
    lit, kept = [], []
    glasses.start()
    for _ in range(2):
        asked = "No space left on device"
        lit.append(glasses.lit(glasses.cue()))
        glasses.ask(Press(gesture="mute"))
        for fault, sentence in (
            ("no story", "is full; it is tried again"),
            ("not kept", f"wearer.json cannot be written: {asked}; after a restart it is forgotten"),
            ("not as chosen", f"{asked}; phrases are rendered anew at each start"),
        ):
            glasses.wait(lambda name=fault, end=sentence: [one for one in glasses.details(name) if one.endswith(end)])
        glasses.ask(Calibrate(cues=False))
        with pytest.raises(BadInput, match=asked):
            glasses.ask(Draft(profile=msgspec.Raw(b'{"mode": "quiet"}')))
        glasses.ask(Leave())
        assert [file for file in glasses.files() if "draft" in file] == []
        # Phrases that are still rendered each try one for a moment.
        glasses.wait(lambda: not [file for file in glasses.files() if ".tmp" in file])
        ballast.unlink()
        free_s = time.monotonic()
        kept.append(glasses.wait(lambda: presses(glasses).count("mute") > 0) - free_s)
        glasses.ask(Press(gesture="mute"))
        assert json.loads((glasses.state / "wearer.json").read_text())["muted"] is False
        (glasses.state / "wearer.json").unlink()
        fill(glasses.state)
    ballast.unlink()
    said = glasses.stop()
    assert said == ""
    assert glasses.count("no story") == 1
    fault_table.row(
        "the state folder cannot be used",
        injected="a file system of 8 MB, full to the last byte, under the state folder",
        noticed="nothing: cues by light and voice as ever; a caregiver's change is refused with the reason",
        happens="faults are reported; the story is written once there is room, with what had happened meanwhile",
        seconds={"until the light of a cue": lit, "until the story is written, once there is room": kept},
        left="what was there before, whole, and no temporary file",
        survived=2,
    )


def test_a_story_is_deleted_from_a_full_card_and_a_new_one_begun(
    tmp_path: Path, fault_table: Any, mount: Callable[..., Callable[[], None]], soon: Callable[..., bool]
) -> None:
    took = []
    # Once nobody has it open, once the glasses write it.
    for worn in (False, True):
        folder = tmp_path / str(worn)
        folder.mkdir()
        mount(folder, "size=4m")
        path = folder / store.FILE
        with closing(store.open_to_write(path)) as db, store.transaction(db):
            session = store.begin(db, None, "companion", school=False)
            for n in range(500):
                store.add(db, session, Entry(n, "cue", "unmistakable"))
        with ExitStack() as ending:
            if worn:
                writer = Writer(path, lambda *_fault: None)
                ending.callback(writer.close)
                writer(events.Session(t=1.0, state="began"))
                writer(events.Press(t=2.0, gesture="mute"))
                assert soon(lambda place=path: len(query.sessions(place)) == 2)
            ballast = fill(folder)
            files = [ending.enter_context(file.open("rb")) for file in store.files_of(path)[:2] if file.exists()]
            asked_s = time.monotonic()
            assert query.delete(path) == query.Deletion(0, 0, 1)
            took.append(time.monotonic() - asked_s)
            assert list(folder.iterdir()) == [ballast]
            assert not any(b"unmistakable" in file.read() for file in files)
            ballast.unlink()
            if worn:
                writer(events.Press(t=3.0, gesture="ask"))
                assert soon(lambda place=path: "ask" in query.as_csv(place))
                assert "mute" not in query.as_csv(path)
    fault_table.row(
        "the state folder cannot be used",
        injected="a file system of 4 MB, full to the last byte, under a story that is deleted",
        noticed="nothing",
        happens="the story is overwritten and deleted; the next one begins once there is room",
        seconds={"until it is gone": took},
        left="nothing of it",
        survived=2,
    )


def test_everything_is_deleted_from_a_full_card(
    worn: Callable[..., Any], fault_table: Any, mount: Callable[..., Callable[[], None]]
) -> None:
    glasses = worn()
    glasses.state.mkdir()
    mount(glasses.state, "size=4m")
    glasses.profile_file.parent.mkdir()
    wishes = glasses.state / "wearer.json"
    wishes.write_text('{"answered_first": [true, false]}')
    glasses.start()
    took = []
    for _ in range(2):
        glasses.profile_file.write_text('{"mode": "quiet"}')
        glasses.ask(Press(gesture="mute"))
        glasses.wait(lambda: presses(glasses))
        glasses.ask(Calibrate(cues=False))
        ballast = fill(glasses.state)
        asked_s = time.monotonic()
        assert glasses.ask(FactoryReset()).text == "everything is as it came from the factory"
        took.append(time.monotonic() - asked_s)
        assert not wishes.exists() or json.loads(wishes.read_text())["answered_first"] == []
        ballast.unlink()
        assert list(glasses.profile_file.parent.iterdir()) == []
        assert presses(glasses) == []
        glasses.ask(Leave())
        glasses.wait(lambda: query.sessions(glasses.state / store.FILE))
    glasses.stop()
    fault_table.row(
        "the state folder cannot be used",
        injected="a file system of 4 MB, full to the last byte, under glasses whose caregiver deletes everything",
        noticed="the factory's cues",
        happens="profiles, story and the history of fading are deleted",
        seconds={"until all is gone": took},
        left="nothing of them",
        survived=2,
    )


def test_a_card_that_turns_read_only_costs_what_cannot_be_kept(
    worn: Callable[..., Any], fault_table: Any, mount: Callable[..., Callable[[], None]]
) -> None:
    glasses = worn()
    glasses.state.mkdir()
    lit, kept = [], []
    # Once from the start, once in the middle of a session.
    free = mount(glasses.state, "ro")
    glasses.start()
    for _ in range(2):
        lit.append(glasses.lit(glasses.cue()))
        glasses.ask(Press(gesture="mute"))
        glasses.wait(lambda: {"no story", "not kept"} <= set(glasses.faults()))
        glasses.ask(Press(gesture="mute"))
        free()
        free_s = time.monotonic()
        kept.append(wait_for_presses(glasses, 2 * len(lit)) - free_s)
        free = mount(glasses.state, "ro")
    free()
    glasses.stop()
    assert glasses.fault("state folder").endswith(
        "lies on a read-only file system: mount it so that it can be written to"
    )
    assert [glasses.count(fault) for fault in ("state folder", "no story")] == [1, 1]
    assert [session.ended for session in query.sessions(glasses.state / store.FILE)] == ["stopped"]
    assert presses(glasses) == ["mute", "unmute"] * 2
    fault_table.row(
        "the state folder cannot be used",
        injected="a read-only file system over the state folder, from the start and in the middle of a session",
        noticed="nothing",
        happens="faults say what to do, once; the story is written once it can be, with what had happened meanwhile",
        seconds={"until the light of a cue": lit, "until the story is written, once it can be": kept},
        left="one session with every press",
        survived=2,
    )


def wait_for_presses(glasses: Any, count: int) -> float:
    path = glasses.state / store.FILE
    return float(glasses.wait(lambda: path.exists() and len(presses(glasses)) >= count))


def test_a_file_in_place_of_the_state_folder_stops_nothing(worn: Callable[..., Any], fault_table: Any) -> None:
    glasses = worn()
    lit = []
    for _ in range(2):
        glasses.state.write_text("no folder")
        began_s = glasses.start()
        glasses.lit(glasses.cue())
        lit.append(time.monotonic() - began_s)
        glasses.wait(lambda: "no story" in glasses.faults())
        glasses.stop()
        assert glasses.fault("state folder") == f"{glasses.state} is no folder: move it away"
        assert glasses.state.read_text() == "no folder"
        glasses.state.unlink()
        glasses.start()
        glasses.wait((glasses.state / store.FILE).exists)
        glasses.stop()
        assert glasses.faults() == {}
        shutil.rmtree(glasses.state)
    fault_table.row(
        "the state folder cannot be used",
        injected="a file in its place",
        noticed="nothing",
        happens="a fault says that it is no folder",
        seconds={"until the light of a first cue, start included": lit},
        left="the file as it is",
        survived=2,
    )


def test_a_damaged_story_is_set_aside(worn: Callable[..., Any], fault_table: Any) -> None:
    glasses = worn()
    path = glasses.state / store.FILE
    begun = []
    for turn in range(2):
        glasses.start()
        glasses.ask(Press(gesture="ask"))
        glasses.wait(lambda: path.exists() and presses(glasses))
        glasses.stop()
        content = bytearray(path.read_bytes())
        content[100:3000] = b"\xa5" * 2900
        path.write_bytes(content)
        damaged_s = glasses.start()
        glasses.wait(lambda: "story damaged" in glasses.faults())
        begun.append(time.monotonic() - damaged_s)
        aside = f"{store.FILE}.damaged-{turn + 1}"
        assert glasses.fault("story damaged").endswith(f"it is kept as {aside}, and a new one begun")
        assert path.with_name(aside).read_bytes() == content
        glasses.ask(Press(gesture="ask"))
        glasses.wait(lambda: presses(glasses) == ["ask"])
        glasses.stop()
        for file in store.files_of(path):
            file.unlink(missing_ok=True)
    fault_table.row(
        "the story cannot be written",
        injected="2900 bytes of the story are overwritten between two runs",
        noticed="nothing",
        happens="a fault is reported, and a new story begun",
        seconds={"until the new story, start included": begun},
        left="the damaged file under another name, and the new one",
        survived=2,
    )


def test_a_folder_in_place_of_the_story_is_left_alone(worn: Callable[..., Any], fault_table: Any) -> None:
    glasses = worn()
    path = glasses.state / store.FILE
    glasses.state.mkdir()
    kept = []
    path.mkdir()
    (path / "holiday.jpg").write_text("of the family")
    for _ in range(2):
        glasses.start()
        glasses.ask(Press(gesture="ask"))
        glasses.wait(lambda: "no story" in glasses.faults())
        assert "is a folder" in glasses.fault("no story")
        assert (path / "holiday.jpg").read_text() == "of the family"
        path.rename(glasses.state / "moved")
        moved_s = time.monotonic()
        kept.append(glasses.wait(lambda: path.exists() and presses(glasses) == ["ask"]) - moved_s)
        glasses.stop()
        assert glasses.count("no story") == 1
        for file in store.files_of(path):
            file.unlink(missing_ok=True)
        (glasses.state / "moved").rename(path)
    fault_table.row(
        "the story cannot be written",
        injected="a folder with a picture in the place of the story, moved away while the glasses run",
        noticed="nothing",
        happens="a fault is reported once; writing is tried again, and nothing of the session is missing",
        seconds={"until the story is written, once it can be": kept},
        left="the folder as it is; the session",
        survived=2,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_kill_in_the_middle_of_a_write_leaves_the_old_file_or_the_new_one(
    tmp_path: Path, fault_table: Any, kind: str
) -> None:
    writers = Path(__file__).with_name("writers.py")
    done = subprocess.run(
        [sys.executable, str(writers), str(tmp_path), kind, "20"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    fault_table.row(
        "power cut",
        injected=f"SIGKILL at a random moment of writing {kind} again and again",
        noticed="nothing",
        happens="the next reader finds the old version or the new one, and the next write goes through",
        seconds={"of the first write": [told["write_s"]]},
        left=f"a temporary file after {told['temporary']} of the kills" if told["temporary"] else "nothing besides",
        survived=told["kills"],
    )


def test_a_run_that_is_killed_begins_again_with_what_it_had(worn: Callable[..., Any], fault_table: Any) -> None:
    glasses = worn()
    again = []
    for turn in range(2):
        glasses.start()
        glasses.wait(lambda: glasses.seen("first frame"))
        glasses.ask(Press(gesture="mute"))
        wait_for_presses(glasses, 2 * turn + 1)
        glasses.process.send_signal(signal.SIGKILL)
        assert glasses.ended()[0] == -signal.SIGKILL
        assert glasses.link.exists()
        began_s = glasses.start()
        glasses.wait(lambda: glasses.seen("first frame"))
        again.append(time.monotonic() - began_s)
        # The mute holds, and the link of the dead run is replaced.
        assert glasses.faults() == {}
        glasses.ask(Press(gesture="mute"))
        glasses.stop()
        assert json.loads((glasses.state / "wearer.json").read_text())["muted"] is False
    ended = [session.ended for session in reversed(query.sessions(glasses.state / store.FILE))]
    assert sorted(map(str, ended)) == ["None", "None", "stopped", "stopped"]
    fault_table.row(
        "power cut",
        injected="SIGKILL in the middle of a session",
        noticed="a new session begins; a mute holds",
        happens="the next start replaces the link that is left, and goes on with the story",
        seconds={"until frames come, start included": again},
        left="the session without an end, and all presses older than a second",
        survived=2,
    )
