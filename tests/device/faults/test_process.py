"""Faults of what the glasses run on: a second run, a stop, a clock that jumps, heat, a beat that hangs."""

import os
import signal
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from cuelens import events
from cuelens.link.client import Silent
from cuelens.link.requests import Press
from cuelens.story import query, store

pytestmark = pytest.mark.slow

WATCHDOG_S = 3.0
"""WatchdogSec of the unit."""
RESTART_S = 1.0
TEMPERATURE = "sys/class/thermal/thermal_zone0/temp"
CALM = "45 C: now 15 beats a second"
ALARM = "sys/class/hwmon/hwmon1/in0_lcrit_alarm"


def test_a_second_run_leaves_the_first_one_alone(worn: Callable[..., Any], fault_table: Any, tmp_path: Path) -> None:
    pytest.importorskip("gpiozero", reason="gpiozero comes with the extra pi")
    glasses = worn()
    glasses.make("board", "busy")
    glasses.start()
    glasses.wait(lambda: glasses.seen("first frame"))
    lit = []
    for turn in range(2):
        second = tmp_path / f"second{turn}.jsonl"
        second.touch()
        other = glasses.launch(events_file=second, runtime=glasses.runtime)
        glasses.wait(lambda file=second: file.read_text().count("GPIO busy") >= 3)
        told = second.read_text()
        assert f"{glasses.link} is taken: other glasses of this user are running" in told
        assert all(fault in told for fault in ("no light", "no button", "no camera", "no link"))
        lit.append(glasses.lit(glasses.cue()))
        glasses.ask(Press(gesture="ask"))
        other.terminate()
        _, said = other.communicate(timeout=30)
        assert (other.returncode, "Traceback" in said) == (0, False)
        # It takes neither the link nor the files of the first with it.
        lit.append(glasses.lit(glasses.cue()))
    glasses.stop()
    assert glasses.faults() == {}
    assert len(glasses.seen("camera opened")) == 1
    (session,) = query.sessions(glasses.state / store.FILE)
    (told_of,) = query.of_day(glasses.state / store.FILE, query.day_of(session))
    assert [entry.word for entry in told_of.entries if entry.kind == "press"] == ["ask", "ask"]
    fault_table.row(
        "link taken or not possible",
        injected="a second run on the same state folder, pins and camera",
        noticed="nothing: the first run keeps light, camera and link",
        happens="the second reports that link, pins and camera are taken, and waits for the camera",
        seconds={"until the light of a cue": lit},
        left="one story, with the first run's session",
        survived=2,
    )


def test_two_runs_may_write_one_story(worn: Callable[..., Any], fault_table: Any, tmp_path: Path) -> None:
    still = tmp_path / "still.pgm"
    still.write_bytes(b"P5 64 48 255\n" + bytes(range(48)) * 64)
    glasses = worn()
    glasses.start()
    glasses.wait(lambda: glasses.seen("first frame"))
    ended = []
    for turn in range(2):
        second = tmp_path / f"second{turn}.jsonl"
        began_s = time.monotonic()
        other = glasses.launch("--source", str(still), "--worn", events_file=second, runtime=glasses.runtime)
        _, said = other.communicate(timeout=60)
        ended.append(time.monotonic() - began_s)
        assert (other.returncode, "Traceback" in said) == (0, False)
        assert [fault for fault in ("no story", "story damaged") if fault in second.read_text()] == []
        glasses.ask(Press(gesture="ask"))
    glasses.stop()
    assert glasses.faults() == {}
    assert sorted(str(session.ended) for session in query.sessions(glasses.state / store.FILE)) == ["stopped"] * 3
    fault_table.row(
        "link taken or not possible",
        injected="a second run on the same state folder, with a photograph in place of the camera",
        noticed="nothing",
        happens="both write into one story, and neither waits for the other for long",
        seconds={"of the second run, four seconds of photograph included": ended},
        left="one story, with the sessions of both",
        survived=2,
    )


def test_without_a_link_the_glasses_run(worn: Callable[..., Any], fault_table: Any) -> None:
    glasses = worn()
    lit = []
    for _ in range(2):
        glasses.runtime.write_text("no folder")
        began_s = glasses.start()
        lit.append(glasses.lit(began_s))
        glasses.wait(lambda: glasses.seen("first frame"))
        glasses.stop()
        assert list(glasses.faults()) == ["no link"]
        assert "commands such as `cuelens press` do not reach this run" in glasses.fault("no link")
        assert glasses.runtime.read_text() == "no folder"
        glasses.runtime.unlink()
        glasses.start()
        glasses.lit(glasses.cue())
        glasses.stop()
    fault_table.row(
        "link taken or not possible",
        injected="a file in place of the folder of the link",
        noticed="nothing",
        happens="a fault is reported, and the run goes on without a link",
        seconds={"until the light of the session, start included": lit},
        left="the file as it is; the story",
        survived=2,
    )


def test_a_process_that_was_stopped_goes_on_without_an_old_face(
    worn: Callable[..., Any], face: Callable[[Any], None], fault_table: Any
) -> None:
    glasses = worn()
    glasses.start()
    glasses.wait(lambda: glasses.seen("first frame"))
    again = []
    for turn in range(2):
        face(glasses)
        glasses.wait(lambda count=turn: len(glasses.told(events.FaceSeen)) > count)
        glasses.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, glasses.process.pid, os.WSTOPPED)
        # What was sent before it stopped is read first.
        glasses.messages()
        stopped_s = time.monotonic()
        stopped_t = stopped_s - glasses.seen("clock begins")[0]["zero"]
        # Longer than a capture, or its hang, may last.
        time.sleep(4.5)
        glasses.make("camera", "textured")
        assert [text for at_s, text in glasses.messages() if at_s > stopped_s] == []
        gone_s = time.monotonic()
        glasses.process.send_signal(signal.SIGCONT)
        again.append(glasses.wait(lambda at_s=gone_s: fed(glasses, at_s)) - gone_s)
        glasses.wait(lambda since_t=stopped_t: any(event.t > since_t for event in glasses.told(events.FaceLost)))
        # A beat that was under way when it stopped is one of a frame of before, as is what had yet to be written.
        assert [event for event in glasses.told(events.CueGiven) if event.t > stopped_t] == []
        assert [event for event in glasses.told(events.Reading) if event.t > stopped_t] == []
    glasses.lit(glasses.cue())
    said = glasses.stop()
    assert (glasses.faults(), said) == ({}, "")
    assert [session.state for session in glasses.told(events.Session)] == ["began", "ended"]
    fault_table.row(
        "the process is stopped",
        injected="SIGSTOP for 4.6 s with a face in view, which is gone before SIGCONT",
        noticed="no cue meanwhile, and none about the face of before",
        happens="nothing feeds the watchdog, which ends the process after 3 s if systemd runs it; without, it goes on",
        seconds={"from SIGCONT until the watchdog is fed": again},
        left="one session",
        survived=2,
    )


def fed(glasses: Any, since_s: float) -> bool:
    return any(at_s > since_s and text == "WATCHDOG=1" for at_s, text in glasses.messages())


def test_a_clock_that_jumps_costs_no_session(worn: Callable[..., Any], fault_table: Any) -> None:
    glasses = worn()
    path = glasses.state / store.FILE
    lit = []

    def wear(*jumps: int) -> None:
        count = 1 + (len(query.sessions(path)) if path.exists() else 0)
        glasses.start()
        # The story takes the date when it writes the beginning: a jump before that would be part of the date.
        glasses.wait(lambda: path.exists() and len(query.sessions(path)) == count)
        for jump in jumps:
            glasses.make("clock", str(jump))
            lit.append(glasses.lit(glasses.cue()))
            glasses.ask(Press(gesture="ask"))
        glasses.wait(lambda: path.exists() and sum(one.seconds > 0 for one in query.sessions(path)) == count)
        glasses.stop()
        assert glasses.faults() == {}

    year_s = 365 * 86400
    wear()
    glasses.make("clock", str(year_s))
    wear()
    glasses.make("clock", "0")
    wear()
    wear(year_s, 0)
    wear(-20 * year_s, 0)
    sessions = sorted(query.sessions(path), key=lambda session: session.id)
    assert [session.ended for session in sessions] == ["stopped"] * 5
    assert all(0 < session.seconds < 60 for session in sessions)
    dates = [store.read_date(session.began) for session in sessions]
    assert all(dates)
    assert dates[1] - dates[0] > timedelta(days=364)
    assert all(date - dates[0] < timedelta(days=1) for date in dates[2:])
    fault_table.row(
        "the clock jumps",
        injected="the wall clock goes on by a year and back, between two runs and within one; and back by twenty years",
        noticed="nothing",
        happens="times within a session are monotonic; no session is taken for an old one",
        seconds={"until the light of a cue": lit},
        left="every session, with the date that the clock had",
        survived=4,
    )


def test_a_strained_board_is_spared(worn: Callable[..., Any], fault_table: Any) -> None:
    # Side by side, since the sensors are read every five seconds only.
    hot, weak = worn(), worn()
    cases = (
        (hot, TEMPERATURE, "81200", "45000", "81 C: now 5 beats a second", 5),
        (weak, ALARM, "1", "0", "45 C, under-voltage: now 10 beats a second", 10),
    )
    for glasses in (hot, weak):
        glasses.make(TEMPERATURE, "45000")
        glasses.make(ALARM, "0")
        glasses.make("sys/class/hwmon/hwmon1/name", "rpi_volt")
        # A busy machine would lower the rate by itself.
        glasses.make("beat", "counts as short")
        glasses.make("camera", "small")
        glasses.start()
    noticed: dict[Any, list[float]] = {hot: [], weak: []}
    rested: dict[Any, list[float]] = {hot: [], weak: []}
    for _ in range(2):
        strained_s = [glasses.make(file, strained) for glasses, file, strained, *_ in cases]
        for (glasses, *_, detail, _), since_s in zip(cases, strained_s, strict=True):
            found_s = glasses.wait(lambda now=glasses, as_said=detail: now.faults().get("board strained") == as_said)
            noticed[glasses].append(found_s - since_s)
        # The camera goes on while beats are left out. A machine that holds both up shows it later.
        reported = len(hot.told(events.State))
        hot.wait(lambda count=reported: any(map(spared, hot.told(events.State)[count:])))
        calm_s = [glasses.make(file, calm) for glasses, file, _, calm, *_ in cases]
        for (glasses, *_), since_s in zip(cases, calm_s, strict=True):
            found_s = glasses.wait(lambda now=glasses: now.faults()["board strained"] == CALM)
            rested[glasses].append(found_s - since_s)
    for glasses, *_, rate in cases:
        glasses.lit(glasses.cue())
        glasses.stop()
        assert list(glasses.faults()) == ["board strained"]
        fault_table.row(
            "heat, under-voltage",
            injected="the kernel's sensor says 81 C" if glasses is hot else "the kernel's rpi_volt raises its alarm",
            noticed="later cues",
            happens=f"{rate} beats a second in place of 15, reported with the reason; 15 again once it is over",
            seconds={"until fewer beats": noticed[glasses], "until 15 again": rested[glasses]},
            left="nothing but the story",
            survived=2,
        )


def spared(state: events.State) -> bool:
    return 0 < state.beat_fps < 6 and state.camera_fps > 2 * state.beat_fps


@pytest.mark.parametrize("lock", [False, True], ids=["lock free", "lock held"])
def test_a_beat_that_hangs_is_ended_by_the_watchdog(worn: Callable[..., Any], fault_table: Any, lock: bool) -> None:
    """systemd's part is played here; tests/systemd has systemd itself end such a process."""
    glasses = worn()
    ended, again = [], []
    for _ in range(2):
        glasses.make("beat", "works")
        glasses.start()
        glasses.wait(lambda: glasses.seen("first frame"))
        hung_s = glasses.make("beat", "hangs with the lock" if lock else "hangs")
        glasses.wait(lambda: glasses.seen("beat hangs"))
        if not lock:
            asked_s = time.monotonic()
            glasses.ask(Press(gesture="mute"))
            glasses.lit(asked_s)
            glasses.ask(Press(gesture="mute"))
        glasses.wait(lambda: time.monotonic() > last_fed(glasses) + WATCHDOG_S)
        assert glasses.process.poll() is None
        ended.append(last_fed(glasses) + WATCHDOG_S - hung_s)
        if lock:
            with pytest.raises((Silent, TimeoutError)):
                glasses.ask(Press(gesture="mute"))
        glasses.process.send_signal(signal.SIGKILL)
        glasses.ended()
        glasses.make("beat", "works")
        began_s = glasses.start()
        glasses.wait(lambda: glasses.seen("first frame"))
        again.append(ended[-1] + RESTART_S + time.monotonic() - began_s)
        glasses.stop()
        assert glasses.faults() == {}
    fault_table.row(
        "a beat hangs",
        injected="the detector never returns" + (", and keeps the interpreter's lock" if lock else ""),
        noticed="no cue until the restart" + ("" if lock else "; a mute is confirmed by light even then"),
        happens="the watchdog is fed no more, and systemd ends the process and restarts it",
        seconds={"until the watchdog's end": ended, "until frames come again, RestartSec=1 included": again},
        left="the session without an end",
        survived=2,
    )


def last_fed(glasses: Any) -> float:
    return max(at_s for at_s, text in glasses.messages() if text == "WATCHDOG=1" or text.startswith("READY=1"))
