"""Faults of the camera, in worn runs: what the wearer notices, and how long the glasses are blind."""

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from cuelens import events

pytestmark = pytest.mark.slow

REPEATS = 10 if "CUELENS_FAULT_TABLE" in os.environ else 2
"""Runs in which the camera stalls twice: ten for the figures in docs/reliability.md."""
RESTART_S = 1.0
"""RestartSec of the unit, by which systemd's first restart is later than ours."""


def reads_again(glasses: Any, since_s: float, since_t: float = -1.0) -> float:
    """Wait until the face is read again. Returns the seconds since a time. since_t: read in a later frame than this."""
    return float(glasses.wait(lambda: any(event.t > since_t for event in glasses.told(events.Reading)))) - since_s


def test_a_stall_ends_by_itself_and_a_second_one_by_a_restart(
    worn: Callable[..., Any], face: Callable[[Any], None], fault_table: Any
) -> None:
    glasses = worn()
    reopened, seen, ended, restarted = [], [], [], []
    for _ in range(REPEATS):
        face(glasses)
        glasses.start()
        glasses.wait(lambda: glasses.told(events.Reading))
        stalled_s = glasses.make("camera", "stalls")
        glasses.wait(lambda: glasses.seen("camera stalls"))
        # This capture is lost; the camera itself would give frames again.
        face(glasses)
        glasses.wait(lambda since_s=stalled_s: glasses.seen("first frame", since_s))
        # A reading of before may have yet to be written.
        assert glasses.fault("camera stalled") == "no frame within 2 s"
        (stall,) = [event for event in glasses.told(events.Fault) if event.fault == "camera stalled"]
        seen.append(reads_again(glasses, stalled_s, stall.t))
        reopened.append(glasses.seen("first frame", stalled_s)[0]["at"] - stalled_s)
        stalled_s = glasses.make("camera", "stalls")
        status, said = glasses.ended()
        ended.append(time.monotonic() - stalled_s)
        assert status == 70
        assert "the camera stalled twice within a minute; a restart is needed" in said
        assert glasses.told(events.Session)[-1].why == "camera lost"
        assert glasses.seen()[-1]["what"] == "light closed"
        face(glasses)
        glasses.start()
        restarted.append(RESTART_S + reads_again(glasses, stalled_s))
        glasses.stop()
    fault_table.row(
        "camera stalls",
        injected="the camera gives no frame, and every capture ends by its deadline",
        noticed="no cue meanwhile; the orange breath only if the camera does not come back at once",
        happens="the camera is closed and opened again, and a fault is reported",
        seconds={"until frames come again": reopened, "until a face is read again": seen},
        left="nothing but the story",
        survived=REPEATS,
    )
    fault_table.row(
        "camera stalls",
        injected="the same twice within a minute",
        noticed="no cue and no light until the restart; a new session begins",
        happens="the session ends as `camera lost`, the lights go out, the process ends with 70 and is restarted",
        seconds={"until the process has ended": ended, "until a face is read again, RestartSec=1 included": restarted},
        left="the story with the session that ended",
        survived=REPEATS,
    )


def test_a_call_that_never_returns_ends_the_process(
    worn: Callable[..., Any], face: Callable[[Any], None], fault_table: Any
) -> None:
    glasses = worn()
    ended, restarted = [], []
    for _ in range(2):
        face(glasses)
        glasses.start()
        glasses.wait(lambda: glasses.told(events.Reading))
        hung_s = glasses.make("camera", "hangs")
        # The beat loop turns all the same, so systemd's watchdog has nothing to end.
        glasses.wait(lambda: glasses.seen("camera hangs"))
        status, said = glasses.ended()
        ended.append(time.monotonic() - hung_s)
        assert (status, "the camera hangs in a call that does not return; a restart is needed" in said) == (70, True)
        assert [at_s for at_s, text in glasses.messages() if text == "WATCHDOG=1" and at_s > hung_s + 2]
        assert glasses.seen()[-1]["what"] == "light closed"
        face(glasses)
        glasses.start()
        restarted.append(RESTART_S + reads_again(glasses, hung_s))
        glasses.stop()
    fault_table.row(
        "camera stalls",
        injected="a capture that never returns",
        noticed="no cue and no light until the restart; a new session begins",
        happens="the capture is given up, the lights go out, the process ends with 70 and is restarted",
        seconds={"until the process has ended": ended, "until a face is read again, RestartSec=1 included": restarted},
        left="the story with the session that ended",
        survived=2,
    )


def test_a_camera_that_is_not_there_is_a_state(worn: Callable[..., Any], fault_table: Any) -> None:
    glasses = worn()
    breathing, opened = [], []
    for _ in range(2):
        # The adapter itself: this machine has no such device.
        glasses.make("camera", "real" if not os.path.lexists("/dev/video0") else "absent")
        began_s = glasses.start()
        breathing.append(glasses.wait(glasses.breathes_orange) - began_s)
        glasses.wait(lambda: glasses.states() == ["no camera"])
        assert glasses.fault("no camera").startswith("/dev/video0 is no camera")
        glasses.cue()
        plugged_s = glasses.make("camera", "textured")
        opened.append(glasses.wait(lambda: "running" in glasses.states()) - plugged_s)
        glasses.wait(lambda: not glasses.breathes_orange())
        glasses.stop()
    fault_table.row(
        "camera absent",
        injected="the settings name /dev/video0, and there is none at the start",
        noticed="the orange breath, until the camera is there; a cue that is tried shows",
        happens="the process stays up and tries the camera after 1, 2, 4, 8, then every 10 s",
        seconds={"until the orange breath, start included": breathing, "until frames come": opened},
        left="nothing: a session without a frame is not kept",
        survived=2,
    )


def test_a_camera_that_is_pulled_out_comes_back(worn: Callable[..., Any], fault_table: Any) -> None:
    glasses = worn()
    glasses.start()
    glasses.wait(lambda: glasses.seen("first frame"))
    breathing, running = [], []
    for time_of in range(2):
        pulled_s = glasses.make("camera", "absent")
        breathing.append(glasses.wait(glasses.breathes_orange) - pulled_s)
        assert glasses.fault("no camera") == "/dev/video0 went away"
        plugged_s = glasses.make("camera", "textured")
        running.append(glasses.wait(lambda: glasses.now() == "running") - plugged_s)
        glasses.wait(lambda: glasses.seen()[-1]["what"] == "light off")
        assert glasses.count("no camera") == time_of + 1
    said = glasses.stop()
    assert said == ""
    assert [session.state for session in glasses.told(events.Session)] == ["began", "ended"]
    fault_table.row(
        "camera absent",
        injected="the camera is unplugged in the middle of a session, and plugged in again",
        noticed="the orange breath, until the camera is back; the session goes on",
        happens="the read is tried once more, then the camera is closed, and tried after 1, 2, 4, 8, then every 10 s",
        seconds={"until the orange breath": breathing, "until frames come": running},
        left="the story of one session",
        survived=2,
    )


def test_frames_that_are_no_pictures_are_dropped(worn: Callable[..., Any], fault_table: Any) -> None:
    glasses = worn()
    glasses.start()
    glasses.wait(lambda: glasses.seen("first frame"))
    gaps = []
    for _ in range(2):
        odd_s = glasses.make("camera", "odd")
        glasses.wait(lambda since_s=odd_s: glasses.seen("a picture again", since_s))
        gaps.append(glasses.seen("a picture again", odd_s)[0]["at"] - odd_s)
    glasses.stop()
    assert glasses.fault("odd frame").startswith("a frame of 0x640 uint8 is no picture")
    assert glasses.count("odd frame") == 1
    assert list(glasses.faults()) == ["odd frame"]
    # Eight each time.
    assert glasses.told(events.State)[-1].dropped >= 2 * 8
    assert glasses.states() == ["running"]
    assert {entry["what"] for entry in glasses.seen()} >= {"camera opened", "first frame"}
    assert len(glasses.seen("camera opened")) == 1
    fault_table.row(
        "a frame that is no picture",
        injected="frames without rows for half a second",
        noticed="nothing",
        happens="such frames are dropped and counted, and the first is reported",
        seconds={"of such frames": gaps},
        left="nothing but the story",
        survived=2,
    )


@pytest.mark.parametrize(("does", "state"), [("dark", "too dark"), ("covered", "covered")])
def test_a_picture_that_shows_nothing_is_told_softly(
    worn: Callable[..., Any], fault_table: Any, does: str, state: str
) -> None:
    glasses = worn()
    glasses.start()
    glasses.wait(lambda: glasses.seen("first frame"))
    # The light of the session is shown before it turns dark.
    glasses.wait(lambda: glasses.seen("light"))
    began_s = time.monotonic()
    told, ended = [], []
    for _ in range(2):
        dark_s = glasses.make("camera", does)
        told.append(glasses.wait(lambda: glasses.now() == state) - dark_s)
        glasses.wait(lambda: glasses.seen("light", began_s))
        light_s = glasses.make("camera", "textured")
        ended.append(glasses.wait(lambda: glasses.now() == "running") - light_s)
    glasses.stop()
    # Once a minute at most.
    assert len(glasses.seen("light", began_s)) == 1
    assert glasses.faults() == {}
    fault_table.row(
        "too dark, lens covered",
        injected=f"pictures as in a {'dark room' if does == 'dark' else 'pocket'}",
        noticed="one soft light, and none again within the minute",
        happens="a state event",
        seconds={"until the state": told, "until the state has ended": ended},
        left="nothing but the story",
        survived=2,
    )


def test_no_camera_opens_without_its_capture_light(worn: Callable[..., Any], fault_table: Any) -> None:
    pytest.importorskip("gpiozero", reason="gpiozero comes with the extra pi")
    glasses = worn()
    breathing, opened = [], []
    for _ in range(2):
        glasses.make("board", "busy 24")
        began_s = glasses.start()
        breathing.append(glasses.wait(glasses.breathes_orange) - began_s)
        assert "pin 24 (pins.capture) cannot be used: 'GPIO busy'" in glasses.fault("no camera")
        assert glasses.seen("camera opened") == []
        free_s = glasses.make("board", "busy")
        opened.append(glasses.wait(lambda: glasses.seen("first frame")) - free_s)
        glasses.wait(lambda: not glasses.breathes_orange())
        glasses.stop()
        assert len(glasses.seen("camera closed")) == 1
    fault_table.row(
        "capture light cannot be lit",
        injected="on a board of mock pins, another process holds the pin of the capture light",
        noticed="the orange breath",
        happens="the camera stays closed; both are tried after 1, 2, 4, 8, then every 10 s",
        seconds={
            "until the orange breath, start included": breathing,
            "until frames come, once the pin is free": opened,
        },
        left="nothing but the story",
        survived=2,
    )
