"""How a calibration ends, and what must not stay of it: a draft, a picture, a stale story, a cue that nobody asked."""

import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pytest

from cuelens import events
from cuelens.link import requests as ask
from cuelens.link.replies import Profiles
from cuelens.link.requests import Calibrate, Leave, Press
from cuelens.profile.profile import Profile
from cuelens.runtime.calibration import Ending


class Hand:
    """A clock that is set by hand."""

    s = 0.0

    def __call__(self) -> float:
        return self.s


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def calibrating(run_glasses: Any, hand: Hand, soon: Callable[..., bool]) -> Any:
    glasses = run_glasses('{"sound": {"on": true}}', clock=hand)
    glasses.said(Calibrate())
    assert soon(lambda: glasses.events(events.Calibration))
    return glasses


def draft(keys: str) -> ask.Draft:
    return ask.Draft(profile=msgspec.Raw(keys.encode()))


def profiles(glasses: Any) -> Profiles:
    reply = glasses.answer(ask.ReadProfile())
    assert isinstance(reply, Profiles)
    return reply


def mode(glasses: Any) -> str:
    return msgspec.json.decode(bytes(profiles(glasses).profile), type=Profile).mode


def test_the_story_knows_what_changed_during_a_calibration(calibrating: Any, soon: Callable[..., bool]) -> None:
    calibrating.said(draft('{"mode": "quiet"}'))
    calibrating.said(ask.Save())
    calibrating.said(Press(gesture="mute"))
    assert soon(lambda: calibrating.events(events.Mute))
    calibrating.said(Leave())
    assert soon(lambda: len(calibrating.events(events.Session)) == 3)
    calibrating.close()
    _, after = calibrating.sessions()
    assert after.mode == "quiet"
    assert [(entry.kind, entry.word) for entry in after.entries if entry.kind == "mute"] == [("mute", "on")]


def test_what_ends_a_draft_is_tried_until_the_loop_takes_it(
    calibrating: Any, hand: Hand, monkeypatch: pytest.MonkeyPatch, soon: Callable[..., bool]
) -> None:
    calibrating.said(draft('{"mode": "quiet"}'))
    monkeypatch.setattr("cuelens.commands.requests._LOOP_S", 0.1)
    calibrating.feed.going.clear()
    assert calibrating.feed.stuck.wait(5)
    hand.s = 50.0
    lapse = threading.Thread(target=calibrating.requests.lapse)
    lapse.start()
    time.sleep(0.3)
    monkeypatch.undo()
    calibrating.feed.going.set()
    lapse.join(10)
    assert not lapse.is_alive()
    assert soon(lambda: mode(calibrating) == "companion")


def test_a_leave_that_comes_too_late_for_the_loop_may_be_repeated(
    calibrating: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    calibrating.said(draft('{"mode": "quiet"}'))
    monkeypatch.setattr("cuelens.commands.requests._LOOP_S", 0.1)
    calibrating.feed.going.clear()
    assert calibrating.feed.stuck.wait(5)
    assert "busy" in calibrating.refused(Leave())
    assert profiles(calibrating).draft
    calibrating.feed.going.set()
    monkeypatch.undo()
    calibrating.said(Leave())
    assert mode(calibrating) == "companion"


def test_the_end_of_one_calibration_undoes_nothing_of_the_next(calibrating: Any, hand: Hand) -> None:
    hand.s = 50.0
    calibrating.said(Calibrate())
    calibrating.said(draft('{"mode": "quiet"}'))
    calibrating.requests.lapse()
    assert mode(calibrating) == "quiet"


def test_no_picture_of_one_calibration_is_seen_in_the_next(calibrating: Any, hand: Hand) -> None:
    calibrating.answer(ask.Look())
    calibrating.feed.going.clear()
    assert calibrating.feed.stuck.wait(5)
    hand.s = 50.0
    calibrating.said(Calibrate())
    assert "there is no picture" in calibrating.refused(ask.Look())


def test_a_picture_is_not_shown_for_long_after_the_camera_went_off(calibrating: Any, hand: Hand) -> None:
    calibrating.answer(ask.Look())
    calibrating.feed.going.clear()
    assert calibrating.feed.stuck.wait(5)
    hand.s = 10.0
    assert "there is no picture" in calibrating.refused(ask.Look())


@pytest.mark.parametrize("ending", ["lapse", "leave"])
def test_no_cue_comes_between_a_calibration_and_what_follows_it(
    calibrating: Any, hand: Hand, soon: Callable[..., bool], monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    told: list[tuple[bool, bool]] = []
    beats, process = calibrating.beats, calibrating.beats.process

    def watched(frame: Any, **options: Any) -> Any:
        told.append((bool(options["muted"]), len(calibrating.events(events.Calibration)) == 2))
        return process(frame, **options)

    monkeypatch.setattr(beats, "process", watched)
    take = calibrating.feed.next

    def late(timeout_s: float) -> Any:
        frame = take(timeout_s)
        if ending == "lapse":
            hand.s = 50.0
        else:
            calibrating.calibration.leave(Ending(rest=True))
        return frame

    monkeypatch.setattr(calibrating.feed, "next", late)
    assert soon(lambda: len(calibrating.events(events.Calibration)) == 2)
    assert all(muted for muted, over in told if not over)


def test_without_a_button_no_session_ends_in_a_rest_that_nothing_ends(run_glasses: Any) -> None:
    calibrating = run_glasses(button=False)
    calibrating.said(Calibrate())
    assert "no button" in calibrating.said(Leave(minutes=10))
    assert calibrating.calibration.ending == Ending()


def test_a_factory_reset_forgets_the_statistics_while_beats_go_on(calibrating: Any, soon: Callable[..., bool]) -> None:
    calibrating.beats._policy.answered_first = (True, False)  # noqa: SLF001
    assert soon(lambda: calibrating.wearer.answered_first == (True, False))
    calibrating.said(ask.FactoryReset())
    time.sleep(0.3)
    assert calibrating.wearer.answered_first == ()


def test_a_new_draft_replaces_none_that_waits(calibrating: Any, soon: Callable[..., bool]) -> None:
    calibrating.said(draft('{"mode": "quiet"}'))
    calibrating.said(Leave())
    assert soon(lambda: len(calibrating.events(events.Calibration)) == 2)
    calibrating.said(Calibrate())
    assert "take them up, or drop them" in calibrating.refused(draft('{"mode": "explore"}'))
    calibrating.said(ask.TakeUpDraft())
    assert mode(calibrating) == "quiet"
    calibrating.said(draft('{"mode": "explore"}'))
    assert mode(calibrating) == "explore"


def test_a_damaged_name_of_the_active_profile_does_not_close_the_page(calibrating: Any) -> None:
    (calibrating.state / "active").write_text("../x")
    assert calibrating.answer(ask.Watch()).profile == ""
    assert profiles(calibrating).names == ("default",)
    calibrating.said(ask.Choose(name="default"))
    assert calibrating.answer(ask.Watch()).profile == "default"


def test_no_face_is_in_view_of_a_camera_that_is_off(calibrating: Any, soon: Callable[..., bool]) -> None:
    picture = np.full((480, 640), 30, np.uint8)
    picture[160:288, 240:368] = 200
    calibrating.feed.picture = picture
    assert soon(lambda: calibrating.answer(ask.Watch()).faces)
    calibrating.said(Press(gesture="pause"))
    assert soon(lambda: calibrating.answer(ask.Watch()).state == "paused")
    reply = calibrating.answer(ask.Watch())
    assert (reply.faces, reply.collected.face) == (0, False)
