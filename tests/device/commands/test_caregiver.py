"""What a caregiver's page asks of running glasses, on fakes of light, voice and camera."""

import json
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from cuelens import events
from cuelens.commands import caregiver_views as views
from cuelens.frame import Grey
from cuelens.link import messages
from cuelens.link import requests as ask
from cuelens.link.replies import Corrected, Glasses, Picture, Profiles, Refused, Story, Table
from cuelens.link.requests import Calibrate, Draft, Leave, Press, Try, Watch
from cuelens.profile.profile import Profile
from cuelens.runtime.calibration import FIRST_LEASE_S
from cuelens.story import store
from cuelens.story.store import Entry
from cuelens_models.errors import BadInput


@pytest.fixture
def calibrating(glasses: Any, soon: Callable[..., bool]) -> Any:
    """Glasses with a calibration that their loop has taken note of."""
    glasses.said(Calibrate())
    assert soon(lambda: glasses.events(events.Calibration))
    return glasses


def draft(**keys: Any) -> Draft:
    return Draft(profile=msgspec.Raw(json.dumps(keys).encode()))


def in_force(glasses: Any) -> Profile:
    reply = glasses.answer(ask.ReadProfile())
    assert isinstance(reply, Profiles)
    return msgspec.json.decode(bytes(reply.profile), type=Profile)


def square() -> Grey:
    """A picture that has one face for the detector of squares."""
    picture = np.full((480, 640), 30, np.uint8)
    picture[160:288, 240:368] = 200
    return picture


def wav(seconds: float, rate: int = 22050) -> bytes:
    """A WAV of a tone."""
    sound = (8000 * np.sin(np.arange(round(seconds * rate)) / 8)).astype("<i2").tobytes()
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(sound), b"WAVE", b"fmt ", 16, 1, 1, rate, 2 * rate, 2, 16, b"data", len(sound))  # fmt: skip  # noqa: E501
    return head + sound


@pytest.mark.parametrize(
    "request_",
    [Leave(), ask.TellCode(digits="111111"), ask.Look(), draft(), ask.Save(), ask.FactoryReset(), ask.ReadStory()],
)
def test_nothing_is_done_without_a_calibration(glasses: Any, request_: Any) -> None:
    assert glasses.refused(request_).startswith("no calibration is on: begin one with the button's gesture")


def test_a_calibration_ends_the_session_and_a_new_one_follows(calibrating: Any, soon: Callable[..., bool]) -> None:
    glasses = calibrating
    assert [event.state for event in glasses.events(events.Session)] == ["began", "ended"]
    assert glasses.said(Leave(minutes=5)) == "a session begins"
    assert soon(lambda: len(glasses.events(events.Session)) == 3)
    assert [event.on for event in glasses.events(events.Calibration)] == [True, False]
    glasses.close()
    first, second = glasses.sessions()
    assert (first.ended, second.ended) == ("calibration", "stopped")


def test_a_calibration_wakes_resting_glasses_and_may_end_with_rest(calibrating: Any, soon: Callable[..., bool]) -> None:
    glasses = calibrating
    assert glasses.said(Leave(then="rest")) == "the glasses rest until a press"
    assert soon(lambda: glasses.wearer.resting)
    glasses.said(Calibrate())
    assert soon(lambda: not glasses.wearer.resting)


def test_a_calibration_that_nobody_renews_ends_and_its_draft_with_it(
    run_glasses: Any, soon: Callable[..., bool]
) -> None:
    now_s = [0.0]
    glasses = run_glasses('{"sound": {"on": true}}', clock=lambda: now_s[0])
    glasses.said(Calibrate())
    assert soon(lambda: glasses.events(events.Calibration))
    glasses.said(draft(mode="quiet"))
    assert in_force(glasses).mode == "quiet"
    now_s[0] = 46.0
    assert soon(lambda: len(glasses.events(events.Calibration)) == 2)
    glasses.requests.lapse()
    assert in_force(glasses).mode == "companion"
    reply = glasses.answer(ask.ReadProfile())
    assert (reply.draft, reply.waiting) == (False, True)
    # Nobody looks after these glasses: they give no cues by themselves.
    assert soon(lambda: glasses.wearer.resting)


def test_a_gesture_that_no_page_follows_gives_the_child_its_session_back(
    run_glasses: Any, soon: Callable[..., bool]
) -> None:
    now_s = [0.0]
    glasses = run_glasses("{}", clock=lambda: now_s[0])
    glasses.calibration.begin(FIRST_LEASE_S)
    assert soon(lambda: glasses.events(events.Calibration))
    now_s[0] = FIRST_LEASE_S + 1
    assert soon(lambda: len(glasses.events(events.Session)) == 3)
    assert not glasses.wearer.resting


def test_a_draft_is_in_force_at_once_and_saved_when_asked(calibrating: Any) -> None:
    glasses = calibrating
    file = glasses.state / "profiles" / "default.json"
    before = file.read_bytes()
    glasses.said(draft(sound={"on": False}, light={"brightness_percent": 22}))
    assert in_force(glasses).light.brightness_percent == 22
    assert file.read_bytes() == before
    assert glasses.said(ask.Save()) == "saved"
    assert json.loads(file.read_bytes())["light"] == {"brightness_percent": 22}
    assert (file.parent / "default-1.json").read_bytes() == before
    reply = glasses.answer(ask.ReadProfile())
    assert (reply.name, reply.names, reply.draft) == ("default", ("default",), False)
    assert "nothing was changed" in glasses.refused(ask.Save())


def test_a_draft_is_discarded_or_taken_up_later(calibrating: Any, soon: Callable[..., bool]) -> None:
    glasses = calibrating
    glasses.said(draft(mode="quiet"))
    assert glasses.said(ask.Discard()) == "the profile is as it was"
    assert in_force(glasses).mode == "companion"
    assert "no draft" in glasses.refused(ask.TakeUpDraft())
    glasses.said(draft(mode="explore"))
    glasses.said(Leave())
    assert in_force(glasses).mode == "companion"
    assert soon(lambda: len(glasses.events(events.Calibration)) == 2)
    glasses.said(Calibrate())
    glasses.said(ask.TakeUpDraft())
    assert in_force(glasses).mode == "explore"


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"light": {"brightness_percent": 101}}, "brightness_percent"),
        ({"colour": "red"}, "colour"),
        ({"mode": "party"}, "party"),
        ({"view": {"tilt_degrees": 45}}, "tilt_degrees"),
    ],
)
def test_a_draft_that_cannot_be_used_is_refused_with_the_reason_and_without_a_path(
    calibrating: Any, keys: dict[str, Any], sentence: str
) -> None:
    calibrating.said(draft(mode="quiet"))
    before = {file: file.read_bytes() for file in calibrating.state.rglob("*.json")}
    refusal = calibrating.refused(draft(**keys))
    assert sentence in refusal
    assert str(calibrating.state) not in refusal
    assert in_force(calibrating).mode == "quiet"
    # Nothing of it is kept either: no file has changed, and the draft of before is saved.
    assert {file: file.read_bytes() for file in calibrating.state.rglob("*.json")} == before
    calibrating.said(ask.Save())
    assert in_force(calibrating).mode == "quiet"


@pytest.mark.parametrize("before", [None, "quiet"])
def test_a_draft_that_a_busy_loop_did_not_take_is_not_kept(
    calibrating: Any, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    if before:
        calibrating.said(draft(mode=before))
    monkeypatch.setattr("cuelens.commands.requests._LOOP_S", 0.1)
    calibrating.feed.going.clear()
    assert calibrating.feed.stuck.wait(5)
    assert "busy: the profile in force stays; try again" in calibrating.refused(draft(mode="explore"))
    calibrating.feed.going.set()
    monkeypatch.undo()
    assert in_force(calibrating).mode == (before or "companion")
    if before:
        calibrating.said(ask.Save())
        assert in_force(calibrating).mode == before
    else:
        assert "nothing was changed" in calibrating.refused(ask.Save())
        calibrating.said(draft(mode="explore"))


def test_a_save_that_a_busy_loop_did_not_take_is_tried_again(calibrating: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    calibrating.said(draft(mode="explore"))
    monkeypatch.setattr("cuelens.commands.requests._LOOP_S", 0.1)
    calibrating.feed.going.clear()
    assert calibrating.feed.stuck.wait(5)
    assert "try again" in calibrating.refused(ask.Save())
    calibrating.feed.going.set()
    monkeypatch.undo()
    assert calibrating.said(ask.Save()) == "saved"
    assert not calibrating.answer(ask.ReadProfile()).draft
    assert in_force(calibrating).mode == "explore"


def test_the_room_of_glasses_that_sit_askew_is_searched_as_it_leans(
    calibrating: Any, soon: Callable[..., bool]
) -> None:
    calibrating.said(draft(view={"tilt_degrees": 12.5}))
    calibrating.feed.picture = square()
    assert soon(lambda: calibrating.answer(Watch()).faces)
    (face,) = calibrating.answer(ask.Look()).faces
    assert face.tilt == 12.5


def test_profiles_are_made_chosen_and_deleted(calibrating: Any) -> None:
    glasses = calibrating
    assert "in use" in glasses.said(ask.Create(name="school"))
    glasses.said(draft(school=True))
    glasses.said(ask.Save())
    assert "already" in glasses.refused(ask.Create(name="school"))
    glasses.said(ask.Choose(name="default"))
    assert not in_force(glasses).school
    assert glasses.answer(ask.ReadProfile()).names == ("default", "school")
    assert "in use: choose another" in glasses.refused(ask.Remove(name="default"))
    glasses.said(ask.Remove(name="school"))
    assert "there is no profile school" in glasses.refused(ask.Choose(name="school"))
    assert list((glasses.state / "profiles").glob("school*")) == []


def test_a_factory_reset_leaves_nothing_of_the_family(calibrating: Any) -> None:
    glasses = calibrating
    (glasses.state / "phrases").mkdir()
    (glasses.state / "phrases" / "spoken.wav").write_bytes(wav(0.5))
    glasses.said(ask.Record(word="happy", wav=wav(0.6)))
    glasses.said(ask.Save())
    glasses.said(ask.FactoryReset())
    assert in_force(glasses) == Profile()
    assert list((glasses.state / "phrases").iterdir()) == []
    assert list((glasses.state / "profiles").iterdir()) == []
    assert glasses.answer(ask.ReadStory()).sessions == ()


def test_a_recording_is_stored_used_and_taken_away(calibrating: Any) -> None:
    glasses = calibrating
    glasses.said(ask.Record(word="happy", wav=wav(0.6)))
    entry = in_force(glasses).cues.happy
    assert entry
    assert entry.recording == "happy-1.wav"
    assert (glasses.state / "profiles" / "happy-1.wav").read_bytes() == wav(0.6)
    glasses.said(ask.Record(word="happy", wav=b""))
    entry = in_force(glasses).cues.happy
    assert entry
    assert entry.recording is None


def test_recordings_that_no_profile_names_are_deleted_when_a_draft_is_saved(calibrating: Any) -> None:
    folder = calibrating.state / "profiles"
    (folder / "happy-mama.wav").write_bytes(wav(0.5))
    for seconds in (0.5, 0.6):
        calibrating.said(ask.Record(word="happy", wav=wav(seconds)))
    calibrating.said(ask.Save())
    assert {file.name for file in folder.glob("*.wav")} == {"happy-2.wav", "happy-mama.wav"}
    assert calibrating.said(ask.Record(word="sad", wav=b"")) == "sad has no recording"


@pytest.mark.parametrize(
    ("word", "sound", "sentence"),
    [
        ("happy", b"no sound", ""),
        ("happy", wav(6), "lasts 6.0 s: expected 3 s at most"),
        ("contempt", wav(0.5), "has no cue"),
    ],
)
def test_a_recording_that_cannot_be_used_is_refused(calibrating: Any, word: str, sound: bytes, sentence: str) -> None:
    assert sentence in calibrating.refused(ask.Record(word=word, wav=sound))
    assert list((calibrating.state / "profiles").glob("*.wav")) == []


def test_the_state_is_told_with_what_happened(calibrating: Any, soon: Callable[..., bool]) -> None:
    glasses = calibrating
    glasses.said(Press(gesture="ask"))
    glasses.said(Try(word="happy"))
    assert soon(lambda: len(glasses.answer(Watch()).happenings) >= 2)
    reply = glasses.answer(Watch())
    assert isinstance(reply, Glasses)
    assert (reply.calibrating, reply.button, reply.speaks, reply.profile) == (True, True, True, "default")
    assert {("press", "ask"), ("try", "happy")} <= {(one.kind, one.word) for one in reply.happenings}
    last = reply.happenings[-1].number
    assert glasses.answer(Watch(since=last)).happenings == ()


def test_a_refused_profile_is_told_until_another_is_in_force(calibrating: Any, soon: Callable[..., bool]) -> None:
    calibrating.profile("{")
    calibrating.refused(ask.Reload())
    assert soon(lambda: calibrating.answer(Watch()).refused)
    calibrating.said(draft())
    assert calibrating.answer(Watch()).refused == ""


def test_the_camera_s_picture_is_shown_with_the_face_and_words_for_light_and_distance(
    calibrating: Any, soon: Callable[..., bool]
) -> None:
    glasses = calibrating
    glasses.feed.picture = square()
    assert soon(lambda: glasses.answer(Watch()).faces)
    reply = glasses.answer(ask.Look())
    assert isinstance(reply, Picture)
    shown = cv2.imdecode(np.frombuffer(reply.jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert shown is not None
    assert shown.shape == (240, 320)
    assert abs(int(shown[100, 150]) - 200) <= 4
    (face,) = reply.faces
    assert (face.left, face.top, face.width) == pytest.approx((0.375, 1 / 3, 0.2), abs=0.02)
    assert (reply.light, reply.distance) == ("dim", "good")
    assert glasses.answer(ask.Look()).number > reply.number


def test_a_camera_that_is_off_has_no_picture(calibrating: Any) -> None:
    calibrating.feed.going.clear()
    assert calibrating.feed.stuck.wait(5)
    assert "there is no picture" in calibrating.refused(ask.Look())


def test_readings_are_collected_on_request_and_become_a_correction_or_none(
    calibrating: Any, soon: Callable[..., bool]
) -> None:
    glasses = calibrating
    glasses.said(ask.Collect(shown="neutral"))
    assert glasses.answer(Watch()).collected.shown == "neutral"
    glasses.feed.picture = square()
    assert soon(lambda: glasses.answer(Watch()).collected.seconds.get("neutral", 0) > 1)
    glasses.said(ask.StopCollecting())
    reply = glasses.answer(ask.Correct())
    assert isinstance(reply, Corrected)
    assert not reply.helped
    assert glasses.answer(Watch()).collected.seconds == {}


def _kinds(story: Any) -> list[str]:
    """Return what the newest session of a story has told so far."""
    assert isinstance(story, Story)
    return [entry.kind for session in story.sessions[:1] for entry in session.entries]


def test_the_story_is_told_piece_by_piece_and_forgotten(glasses: Any, soon: Callable[..., bool]) -> None:
    glasses.said(Press(gesture="mute"))
    glasses.said(Calibrate())
    assert soon(lambda: glasses.events(events.Calibration))
    # The journal is written a moment later than the events are told.
    assert soon(lambda: _kinds(glasses.answer(ask.ReadStory())) == ["press", "mute"])
    table = glasses.answer(ask.ReadTable())
    assert isinstance(table, Table)
    assert table.text.splitlines()[0].startswith("session,began,mode")
    assert table.following is None
    assert glasses.answer(ask.ReadTable(offset=len(table.text))).text == ""
    assert "deleted" in glasses.said(ask.ForgetStory())
    assert glasses.answer(ask.ReadStory()).sessions == ()


@pytest.mark.parametrize(("count", "shortened"), [(3000, False), (12_000, True)])
def test_of_a_session_that_is_too_long_for_a_message_the_last_entries_are_told(
    tmp_path: Path, count: int, *, shortened: bool
) -> None:
    path = tmp_path / store.FILE
    with closing(store.open_to_write(path)) as db, store.transaction(db):
        for last in (False, True):
            session = store.begin(db, None, "companion", school=False)
            for n in range(count):
                store.add(db, session, Entry(n / 10, "cue", "happy" if last else "sad", "expression", ("light",)))
            store.end(db, session, count / 10, "time")
    story = views.story(path)
    newest = story.sessions[-1]
    assert {entry.word for entry in newest.entries} == {"happy"}
    assert (newest.seconds, newest.entries[-1].t) == (count / 10, (count - 1) / 10)
    assert (len(newest.entries) < count) == shortened
    assert len(story.sessions) + story.more == 2
    assert len(messages.encode(story)) > (700_000 if shortened else 0)
    assert len(messages.encode(story)) < messages.MOST_BYTES


def test_a_code_is_told_by_blinks_that_can_be_counted(calibrating: Any, soon: Callable[..., bool]) -> None:
    glasses = calibrating
    blinks = len(glasses.light.patterns)
    glasses.said(ask.TellCode(digits="211111"))
    assert soon(lambda: len(glasses.light.patterns) == blinks + 7)
    assert soon(lambda: glasses.voices[0].words[-6:] == ["2", "1", "1", "1", "1", "1"])


def test_an_answer_to_what_the_glasses_cannot_read_is_a_refusal(calibrating: Any) -> None:
    reply = calibrating.answer(ask.Choose(name="nobody"))
    assert isinstance(reply, Refused)


@pytest.mark.parametrize(
    "request_", [ask.Create(name="school\n"), ask.Remove(name="school\n"), ask.TellCode(digits="111111\n")]
)
def test_a_line_feed_is_no_part_of_a_name_or_a_code(request_: Any) -> None:
    with pytest.raises(BadInput):
        messages.request(messages.encode(request_))
