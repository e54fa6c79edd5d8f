"""Recordings taken through the policy again: the same cues, and what they were worth."""

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from cuelens import events
from cuelens.calibration.correction import Correction
from cuelens.commands.replay import Episode, episodes, judge, play, read
from cuelens.profile.profile import Policy, Profile
from cuelens.runtime.build import policy_of
from cuelens.types import Cue
from cuelens_models.bundle.file import Bundle
from cuelens_models.errors import BadInput


def reading(t: float, track: int = 1, **scores: float) -> events.Reading:
    return events.Reading(t=t, track=track, scores=scores)


def cue(t: float, expression: str = "happy", track: int = 1) -> Cue:
    return Cue(t, "expression", track, expression, ("light",))


def cuelens(*given: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cuelens", *given]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_file_that_other_settings_have_parted_is_refused_and_a_school_s_start_within_a_run_is_not(
    tmp_path: Path,
) -> None:
    start = events.Start(bundle="b", source="s")
    run = [start, events.Mode(t=0.0, mode="companion"), reading(0.1, happy=0.9), reading(2.0, happy=0.9)]
    school = [start, events.Mode(t=2.0, mode="companion"), reading(2.1, happy=0.9)]
    file = tmp_path / "run.jsonl"
    file.write_bytes(msgspec.json.Encoder().encode_lines([*run, *school]))
    assert len(read(file)) == 7
    file.write_bytes(msgspec.json.Encoder().encode_lines([*run, *run]))
    with pytest.raises(BadInput, match='holds 2 runs, each with times of its own: cut it before each further "start"'):
        read(file)


@pytest.mark.slow
def test_a_recorded_run_gives_the_cues_that_it_gave(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    assert cuelens("run", "--source", "demo", "--as-fast", "--events", str(file)).returncode == 0
    told = [event for event in read(file) if isinstance(event, events.CueGiven)]
    assert len(told) == 3
    done = cuelens("replay", str(file))
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert [float(line.split()[0]) for line in lines[:-1]] == pytest.approx([each.t for each in told], abs=0.01)
    assert "looks happy" in lines[1]
    assert lines[-1].endswith("3 cues")


def test_another_profile_gives_other_cues(shipped: Bundle) -> None:
    stream = [reading(n / 15, happy=0.8, neutral=0.2) for n in range(150)]

    def told(caution: float) -> list[str]:
        wearer = Profile(policy=Policy(caution=caution))
        return [each.word for each in play(stream, policy_of(wearer, shipped.contract, ["light"]))]

    assert told(-1) == ["face", "happy"]
    assert told(1) == ["face"]


def test_a_recording_holds_readings_as_they_were_so_another_household_can_be_tried(shipped: Bundle) -> None:
    stream = [reading(n / 15, happy=0.8, neutral=0.2) for n in range(150)]

    def told(people: Correction) -> list[str]:
        wearer = Profile(policy=Policy(caution=-1), people=people)
        return [each.word for each in play(stream, policy_of(wearer, shipped.contract, ["light"]))]

    assert told(Correction(people=1)) == ["face", "happy"]
    assert told(Correction(shift={"happy": -4.0}, people=1)) == ["face"]


def test_an_episode_lasts_until_the_next_one_or_as_long_as_its_face() -> None:
    stream = [
        events.Shown(t=0.0, track=1, expression="neutral"),
        events.Shown(t=2.0, track=1, expression="happy"),
        events.Shown(t=4.0, track=1, expression="sad"),
        events.FaceLost(t=5.0, track=1),
        events.Shown(t=6.0, track=2, expression="angry"),
        reading(9.0, track=2),
    ]
    assert episodes(stream) == [
        Episode(1, "happy", 2.0, 4.0),
        Episode(1, "sad", 4.0, 5.0),
        Episode(2, "angry", 6.0, 9.0),
    ]


@pytest.mark.parametrize(
    ("cues", "in_time", "cued", "false"),
    [
        ([], 0, 0, 0),
        ([cue(11.0)], 1, 1, 0),
        ([cue(11.0), cue(11.9)], 1, 1, 0),
        ([cue(11.5)], 0, 1, 0),
        ([cue(13.4)], 0, 0, 0),
        ([cue(13.6)], 0, 0, 1),
        ([cue(9.9)], 0, 0, 1),
        ([cue(11.0, "sad")], 0, 0, 1),
        ([cue(11.0, track=2)], 0, 0, 1),
        ([Cue(3.0, "face", 1, "face", ("light",))], 0, 0, 0),
    ],
)
def test_a_cue_is_right_while_it_is_shown_and_false_a_second_and_a_half_later(
    cues: list[Cue], in_time: int, cued: int, false: int
) -> None:
    verdict = judge(cues, [Episode(1, "happy", 10.0, 12.0)], 60.0)
    assert (verdict.in_time, len(verdict.delays), len(verdict.false)) == (in_time, cued, false)
    assert verdict.false_in_ten_minutes == 10 * false


def test_the_interval_of_a_share_is_wilson_s() -> None:
    shown = [Episode(1, "happy", 20.0 * n, 20.0 * n + 2) for n in range(10)]
    verdict = judge([cue(20.0 * n + 0.5) for n in range(8)], shown, 200.0)
    assert verdict.share() == pytest.approx((0.8, 0.490, 0.943), abs=1e-3)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "holds no readings"),
        ('{"event": "lost", "t": 1.0, "track": 1}\n', "holds no readings"),
        ('{"event": "reading", "t": 1.0, "track": 1, "scores": {}}\nnonsense\n', "line 2 is no event of this version"),
        ('{"event": "reading", "t": 1.0, "track": 1, "scores": {"happy": -1.0}}\n', "line 1 is no event of this ver"),
        ('{"event": "reading", "t": 1.0, "track": 1, "scores": {"happy": 5}}\n', "line 1 is no event of this version"),
        ('{"event": "wink", "t": 1.0}\n', "line 1 is no event"),
        (f'{{"a": {"[" * 100_000}, "event": "press"}}\n', "line 1 is no event"),
    ],
)
def test_what_is_no_recording_is_refused_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(text)
    with pytest.raises(BadInput, match=sentence):
        read(file)
    done = cuelens("replay", str(file))
    assert done.returncode == 3
    assert len(done.stderr.strip().splitlines()) == 1


def test_a_recording_that_a_power_cut_ended_is_read_to_its_last_whole_line(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    whole = b"".join(msgspec.json.encode(reading(n / 15, happy=0.5)) + b"\n" for n in range(3))
    file.write_bytes(whole)
    for length in range(len(whole) // 3, len(whole) + 1):
        file.write_bytes(whole[:length])
        lines = whole[:length].count(b"\n") + (whole[length : length + 1] == b"\n")
        assert len(read(file)) == lines


@pytest.mark.parametrize(
    ("profile", "told", "spoken"),
    [
        ("{}", "looks happy (light)", False),
        ('{"sound": {"on": true}}', "looks happy (light, voice)", True),
        ('{"school": true}', "smile (light)", False),
    ],
)
def test_a_stream_with_its_truth_is_judged(tmp_path: Path, profile: str, told: str, spoken: bool) -> None:
    stream: list[events.AnyEvent] = [events.Shown(t=0.0, track=1, expression="neutral")]
    stream += [reading(n / 15, neutral=0.95, happy=0.05) for n in range(60)]
    stream += [events.Shown(t=4.0, track=1, expression="happy")]
    stream += [reading(n / 15, neutral=0.001, happy=0.999) for n in range(60, 120)]
    file, wearer = tmp_path / "stream.jsonl", tmp_path / "profile.json"
    file.write_bytes(b"\n".join(map(msgspec.json.encode, stream)))
    wearer.write_text(profile)
    done = cuelens("replay", str(file), "--profile", str(wearer))
    assert told in done.stdout
    assert "1 episode, 1 cued, 0 missed" in done.stdout
    assert "false cues: 0" in done.stdout
    assert ("of these, spoken:" in done.stdout) is spoken


def test_presses_mutes_and_sessions_of_a_recording_are_replayed(shipped: Bundle) -> None:
    def told(*between: events.AnyEvent) -> list[tuple[str, str]]:
        stream: list[events.AnyEvent] = [reading(n / 15, neutral=0.001, happy=0.999) for n in range(90)]
        stream += between
        stream += [reading(n / 15, neutral=0.001, happy=0.999) for n in range(90, 270)]
        return [(each.kind, each.word) for each in play(stream, policy_of(Profile(), shipped.contract, ["light"]))]

    face, happy = ("face", "face"), ("expression", "happy")
    assert told() == [face, happy]
    assert told(events.Press(t=89 / 15, gesture="ask")) == [face, happy, ("answer", "happy")]
    # A press that nobody could answer in time is forgotten, as on the glasses.
    assert told(events.Press(t=1.0, gesture="ask")) == [face, happy]
    # A new session believes nothing yet, and settles anew; a muted one is told nothing.
    assert told(events.Session(t=89 / 15, state="began")) == [face, happy, face, happy]
    assert told(events.Mute(t=89 / 15, on=True), events.Session(t=89 / 15, state="began")) == [face, happy]
