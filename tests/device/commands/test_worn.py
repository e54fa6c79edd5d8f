"""A worn run from the command line: what a caregiver and a wearer would see of it, and every mistake in a sentence."""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from cuelens import events
from cuelens.commands import console
from cuelens.cues.modes import modes
from cuelens.cues.settling import SettleRule, settle
from cuelens.frame import Frame
from cuelens.profile import language, store
from cuelens.runtime.pipeline import Decision
from cuelens.types import Face

pytestmark = pytest.mark.slow


def cuelens(home: Path, *given: object, before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "STATE_"))}
    return subprocess.run(
        [*before, sys.executable, "-m", "cuelens", *map(str, given)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=environment | {"HOME": str(home)},
    )


@pytest.fixture
def still(tmp_path: Path) -> Path:
    file = tmp_path / "still.png"
    cv2.imwrite(str(file), np.full((48, 64), 99, np.uint8))
    return file


def state(home: Path) -> Path:
    return home / ".local" / "state" / "cuelens"


def worn(home: Path, still: Path, *given: object) -> list[events.AnyEvent]:
    done = cuelens(home, "run", "--source", still, "--as-fast", "--worn", "--events", "-", *given)
    assert done.returncode == 0, done.stderr
    return [msgspec.json.decode(line, type=events.AnyEvent) for line in done.stdout.splitlines()]


def test_a_worn_run_is_a_session_with_a_story(tmp_path: Path, still: Path) -> None:
    told = worn(tmp_path, still, "--mode", "explore")
    assert [event.mode for event in told if isinstance(event, events.Mode)] == ["explore"]
    assert [event.state for event in told if isinstance(event, events.Session)] == ["began", "ended"]
    story = cuelens(tmp_path, "story")
    assert story.returncode == 0
    assert "1 session" in story.stdout
    assert "explore" in story.stdout
    assert cuelens(tmp_path, "story", "--delete").returncode == 0
    assert "There is no story yet" in cuelens(tmp_path, "story").stdout


def test_a_worn_run_deletes_what_killed_writers_left(tmp_path: Path, still: Path) -> None:
    killed = subprocess.Popen(["true"])
    killed.wait()
    left = [
        f".wearer.json.{killed.pid}.tmp",
        f"profiles/..draft.json.{killed.pid}.tmp",
        f"good/.mia.json.{killed.pid}.tmp",
    ]
    for name in (*left, f"phrases/.0123.wav.{killed.pid}.tmp", "profiles/mia.wav"):
        (state(tmp_path) / name).parent.mkdir(parents=True, exist_ok=True)
        (state(tmp_path) / name).write_bytes(b"half")
    worn(tmp_path, still)
    files = [file.relative_to(state(tmp_path)) for file in state(tmp_path).rglob("*") if file.is_file()]
    assert not [file for file in files if file.suffix == ".tmp"]
    assert Path("profiles/mia.wav") in files


def test_a_run_that_is_not_worn_leaves_nothing_behind(tmp_path: Path, still: Path) -> None:
    assert cuelens(tmp_path, "run", "--source", still, "--as-fast").returncode == 0
    assert not state(tmp_path).exists()


def test_without_a_button_what_it_had_asked_for_is_passed_over_and_kept(tmp_path: Path, still: Path) -> None:
    """Nobody could take it back: the glasses would be silent, or resting, for good."""
    state(tmp_path).mkdir(parents=True)
    kept = '{"muted": true, "paused": true, "first": [true, false]}'
    (state(tmp_path) / "wearer.json").write_text(kept)
    told = worn(tmp_path, still)
    assert not [event for event in told if isinstance(event, events.Mute | events.Pause)]
    assert "no button" in [event.fault for event in told if isinstance(event, events.Fault)]
    assert [event.state for event in told if isinstance(event, events.State)] == ["running"]
    assert (state(tmp_path) / "wearer.json").read_text() == kept


def test_without_a_button_a_session_has_no_end(tmp_path: Path) -> None:
    frames = tmp_path / "frames"
    frames.mkdir()
    for n in range(15 * 62):
        cv2.imwrite(str(frames / f"{n:04}.pgm"), np.full((48, 64), 99, np.uint8))
    profile = tmp_path / "short.json"
    profile.write_text('{"session": {"minutes": 1}}')
    told = worn(tmp_path, frames, "--profile", profile)
    assert [(event.state, event.why) for event in told if isinstance(event, events.Session)] == [
        ("began", ""),
        ("ended", "stopped"),
    ]


def test_a_story_that_cannot_be_kept_stops_nothing(tmp_path: Path, still: Path) -> None:
    state(tmp_path).parent.mkdir(parents=True)
    state(tmp_path).write_text("no folder")
    told = worn(tmp_path, still)
    details = {event.fault: event.detail for event in told if isinstance(event, events.Fault)}
    assert "no story" in details
    assert details["state folder"] == f"{state(tmp_path)} is no folder: move it away"
    assert "Errno" not in str(details)
    assert [event.state for event in told if isinstance(event, events.Session)] == ["began", "ended"]


@pytest.mark.skipif(os.geteuid() == 0 and shutil.which("setpriv") is None, reason="setpriv is not installed")
@pytest.mark.parametrize("mode", [0o000, 0o400, 0o500, 0o600])
def test_a_state_folder_that_bars_its_own_user_is_told_of_and_stops_nothing(
    tmp_path: Path, still: Path, mode: int
) -> None:
    state(tmp_path).mkdir(parents=True)
    state(tmp_path).chmod(mode)
    output = tmp_path / "events.jsonl"
    output.touch()
    # Without these capabilities root minds the rights of files.
    as_others = ["setpriv", "--inh-caps=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    as_others += ["--bounding-set=-dac_override,-dac_read_search"] if as_others else []
    words = ("run", "--source", still, "--as-fast", "--worn", "--events", output)
    done = cuelens(tmp_path, *words, before=as_others)
    state(tmp_path).chmod(0o700)
    assert done.returncode == 0, done.stderr
    stream = [msgspec.json.decode(line, type=events.AnyEvent) for line in output.read_bytes().splitlines()]
    details = {event.fault: event.detail for event in stream if isinstance(event, events.Fault)}
    assert details["state folder"].endswith(f"who may not use it: run `chmod u+rwX {state(tmp_path)}`")
    assert details.get("profile damaged", "; the factory profile is used").endswith("; the factory profile is used")
    assert ("profile damaged" in details) == (not mode & 0o100)
    assert "Errno" not in str(details)
    assert [event.state for event in stream if isinstance(event, events.Session)] == ["began", "ended"]


@pytest.mark.parametrize(
    ("profile", "sentence"),
    [
        ('{"cues": {"joyful": {"phrase": "looks glad"}}}', 'there is no key "joyful" in cues: choose from happy,'),
        ('{"cues": {"happy": {"light": {"colour": "yellow"}}}}', 'must be a colour such as "#F0E442", not "yellow"'),
        ('{"cues": {"happy": {"recording": "../song.wav"}}}', "cues.happy.recording is '../song.wav'"),
        ('{"cues": {"happy": {"phrase": "' + "happy " * 300 + '"}}}', "cues.happy.phrase must be a text of"),
        ('{"sound": {"volume_percent": 140}}', "sound.volume_percent must be a whole number from 0 to 100, not 140"),
        ('{"language": "xx"}', f"language is 'xx': expected one of {', '.join(language.available())}"),
        ('{"mode": "loud"}', f"mode is 'loud': expected one of {', '.join(modes())}"),
    ],
)
def test_a_mistake_is_one_sentence_and_the_last_good_profile_stays_in_force(
    tmp_path: Path, still: Path, profile: str, sentence: str
) -> None:
    profiles = state(tmp_path) / "profiles"
    profiles.mkdir(parents=True)
    file = profiles / "default.json"
    # Named on the command line it is refused, with file and key.
    file.write_text(profile)
    done = cuelens(tmp_path, "run", "--source", still, "--as-fast", "--profile", file)
    assert done.returncode == 3
    (line,) = done.stderr.strip().splitlines()
    assert str(file) in line
    assert sentence in line
    assert len(line) < 600
    # As the active one it is told of, and what was good before holds.
    file.write_text('{"mode": "quiet"}')
    assert store.keep_good(state(tmp_path), store.active(state(tmp_path))) == ""
    file.write_text(profile)
    told = worn(tmp_path, still)
    (fault,) = [event for event in told if isinstance(event, events.Fault)]
    assert fault.fault == "profile damaged"
    assert sentence in fault.detail
    assert fault.detail.endswith("the last good one is used")
    assert [event.mode for event in told if isinstance(event, events.Mode)] == ["quiet"]
    assert file.read_text() == profile


def test_a_mode_that_is_none_is_a_sentence(tmp_path: Path, still: Path) -> None:
    done = cuelens(tmp_path, "run", "--source", still, "--as-fast", "--mode", "loud")
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (3, 1)
    assert "companion, explore, quiet, smile" in done.stderr


def test_at_a_school_no_feeling_is_named_anywhere(tmp_path: Path) -> None:
    profiles = state(tmp_path) / "profiles"
    profiles.mkdir(parents=True)
    (profiles / "default.json").write_text('{"school": true}')
    done = cuelens(tmp_path, "run", "--source", "demo", "--as-fast", "--worn", "--cues", "console", "--seconds", "12")
    assert done.returncode == 0, done.stderr
    assert "smile" in done.stdout
    story = cuelens(tmp_path, "story")
    assert "smile" in story.stdout
    assert "(school)" in story.stdout
    for told in (done.stdout, story.stdout):
        assert not [word for word in ("happy", "sad", "angry", "scared", "disgusted", "surprised") if word in told]


def test_at_a_school_the_live_line_and_the_demo_s_picture_name_no_feeling_either(tmp_path: Path) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    rule = SettleRule(("happy",), {"happy": -2.0})
    belief = msgspec.structs.replace(settle(None, (1.0,), 0.0, rule), expression="happy", confidence=0.9, sure=True)
    face = Face(1, (0, 0, 90, 90))
    decision = Decision(1.0, (face,), {1: belief}, {1: "smile"}, None, "running")
    console.Console(terminal, cues=True).watch(Frame(np.zeros((4, 4), np.uint8), 1.0, 0), decision)
    assert "smile" in terminal.getvalue()
    assert "happy" not in terminal.getvalue()
    pytest.importorskip("matplotlib", reason="the picture comes with the extra demo")
    profile = tmp_path / "school.json"
    profile.write_text('{"school": true}')
    done = cuelens(tmp_path, "demo", "--as-fast", "--seconds", "8", "--profile", profile, "-o", tmp_path / "demo.png")
    assert done.returncode == 0, done.stderr
    assert "happy" not in done.stdout
