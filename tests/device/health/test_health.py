"""What is remembered of a run: its state, and each fault with how often and how long ago."""

from cuelens import events
from cuelens.health.health import Health


class Clock:
    def __init__(self) -> None:
        self.s = 100.0

    def __call__(self) -> float:
        return self.s


def fault(name: str, detail: str = "why") -> events.Fault:
    return events.Fault(t=0.0, fault=name, detail=detail)


def test_a_run_begins_without_a_state() -> None:
    health = Health()
    assert (health.state, health.state_name(0), health.faults()) == (None, "starting", ())
    assert health.state_name(1) == "running"


def test_the_latest_fault_comes_first_with_how_often_and_how_long_ago() -> None:
    clock = Clock()
    health = Health(clock)
    for seconds, name, detail in ((1, "no sound", "hung"), (2, "no story", "full"), (4, "no sound", "away")):
        clock.s = 100.0 + seconds
        health(fault(name, detail))
    clock.s = 110.0
    told = [(one.fault, one.detail, one.times, health.age_s(one.s)) for one in health.faults()]
    assert told == [("no sound", "away", 2, 6.0), ("no story", "full", 1, 8.0)]
    assert health.age_s(health.began_s) == 10.0


def test_faults_without_end_do_not_fill_the_memory() -> None:
    health = Health()
    for number in range(1000):
        health(fault(f"fault {number}"))
    assert [one.fault for one in health.faults()] == [f"fault {number}" for number in range(999, 969, -1)]


def test_cues_are_counted_by_kind_and_the_last_state_holds() -> None:
    health = Health()
    for kind in ("expression", "answer", "expression"):
        health(events.CueGiven(t=1.0, kind=kind, track=1, word="happy", outputs=("light",), latency_ms=9.0))
    state = events.State(t=5.0, state="covered", camera_fps=15.0, beat_fps=14.0, dropped=1, frame_age_ms_p95=40.0)
    health(state)
    assert (health.cues, health.state, health.state_name(1)) == ({"expression": 2, "answer": 1}, state, "covered")
