"""`cuelens replay`: recorded or generated readings, passed through settling and the cue policy again.

A recording of `cuelens run --events` holds the input of the policy. So it shows the cues of another profile, without a
camera and without a picture. It holds only the first box of each face: with several people in view, the nearest is the
one who was nearest on coming into view.

Cues are judged where the stream has ground truth (`shown` events). An episode is an expression other than neutral. A
cue is false if its face has not shown its expression in the second and a half before.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise
from pathlib import Path
from typing import Final

import msgspec

from cuelens import events
from cuelens.cues.policy import CuePolicy
from cuelens.profile import store, wording
from cuelens.profile.profile import Profile
from cuelens.profile.rules import tell_as
from cuelens.runtime.build import policy_of
from cuelens.types import ASK_S, Box, Cue, Face
from cuelens_models import regular_file
from cuelens_models.bundle.file import SHIPPED, load
from cuelens_models.errors import BadInput

IN_TIME_S: Final = 1.2
"""Longest delay of a cue that is in time, from the beginning of its episode."""
STILL_TRUE_S: Final = 1.5
"""A cue is still true for this time after the end of its episode."""
_NO_BOX: Final[Box] = (0, 0, 100, 100)
_WIDTH: Final = 640
"""Width of a frame by the default settings, in pixels: a recording does not hold it."""
_SILENT: Final = "neutral"


@dataclass(frozen=True, slots=True)
class Episode:
    """A face shows an expression, from `begin` to `end` in seconds."""

    track: int
    expression: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """The score of a stream's cues.

    Attributes:
        minutes: length of the stream.
        episodes: number of episodes.
        in_time: episodes with a right cue within `IN_TIME_S`.
        delays: of the first right cue of each episode that has one, in seconds, ascending.
        false: the false cues.
    """

    minutes: float
    episodes: int
    in_time: int
    delays: tuple[float, ...]
    false: tuple[Cue, ...]

    @property
    def false_in_ten_minutes(self) -> float:
        """Return the number of cues in ten minutes that told an expression which was not shown."""
        return 10 * len(self.false) / self.minutes if self.minutes else 0.0

    def share(self) -> tuple[float, float, float]:
        """Return the share of episodes cued in time, and its 95 % confidence interval (Wilson's)."""
        if not self.episodes:
            return math.nan, math.nan, math.nan
        n, z = self.episodes, 1.96
        share = self.in_time / n
        middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
        return share, middle - reach, middle + reach


def read(path: Path) -> list[events.AnyEvent]:
    """Read a recording. A last line that was cut short is left out. Raises BadInput with the number of a bad line."""
    if fault := regular_file.fault(path):
        raise BadInput(f"{path} {fault}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}") from error
    lines = content.splitlines()
    decoder = msgspec.json.Decoder(events.AnyEvent)
    stream = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            stream.append(decoder.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            if number == len(lines) and not content.endswith((b"\n", b"\r")):
                # A power cut ends a recording within a line.
                break
            raise BadInput(f"{path}, line {number} is no event of this version of cuelens: {error}") from error
    runs = sum(_begins_a_run(*pair) for pair in pairwise(stream))
    if runs > 1:
        raise BadInput(f'{path} holds {runs} runs, each with times of its own: cut it before each further "start"')
    if not any(isinstance(event, events.Reading) for event in stream):
        raise BadInput(f"{path} holds no readings: record some with `cuelens run --events {path}`")
    return stream


def _begins_a_run(event: events.AnyEvent, following: events.AnyEvent) -> bool:
    """Tell whether a run begins with two events. A school's start within a run has the time that it is."""
    return isinstance(event, events.Start) and isinstance(following, events.Mode) and following.t == 0


def play(stream: Sequence[events.AnyEvent], policy: CuePolicy, *, paced: bool = False) -> list[Cue]:
    """Return the cues that a policy gives for the readings of a stream, in order of time.

    Presses and mutes are those of the recording. A beat without a face was not recorded, so the answer is never that
    nobody is there.

    Args:
        stream: the events.
        policy: settles and decides.
        paced: the stream has a reading for every beat; take those that the glasses would, if every face looked as
            before. A recording of theirs has no others.
    """
    cues = []
    boxes: dict[int, Box] = {}
    for event in stream:
        if isinstance(event, events.FaceSeen):
            boxes.setdefault(event.track, event.box)
    press_t, muted, calibrates = -math.inf, False, False
    for _, group in groupby(stream, key=lambda event: getattr(event, "t", None)):
        beat = list(group)
        readings = [event for event in beat if isinstance(event, events.Reading)]
        if readings:
            press = readings[0].t - press_t <= ASK_S
            seen = [Face(reading.track, boxes.get(reading.track, _NO_BOX)) for reading in readings]
            taken = {face.track for face in (policy.due(readings[0].t, seen, closely=press) if paced else seen)}
            scores = {
                face.track: [face.scores.get(label, 0.0) for label in policy.labels]
                for face in readings
                if face.track in taken
            }
            cue = policy.step(readings[0].t, seen, scores, width=_WIDTH, press=press, muted=muted or calibrates).cue
            cues += [cue] if cue else []
            press_t = -math.inf
        # A gesture between two beats has the time of the first, and acts on the second.
        for event in beat:
            press_t = event.t if isinstance(event, events.Press) and event.gesture == "ask" else press_t
            muted = event.on if isinstance(event, events.Mute) else muted
            calibrates = event.on if isinstance(event, events.Calibration) else calibrates
            if isinstance(event, events.Session) and event.state == "began":
                policy.begin()
    return cues


def episodes(stream: Sequence[events.AnyEvent]) -> list[Episode]:
    """Return the episodes by their beginning. The next `shown` event of the face ends one, or the loss of the face."""
    past: list[Episode] = []
    current: dict[int, tuple[str, float]] = {}
    last_t = 0.0
    for event in stream:
        if isinstance(event, events.Reading):
            last_t = event.t
        if isinstance(event, events.Shown | events.FaceLost) and event.track in current:
            expression, begin = current.pop(event.track)
            past.append(Episode(event.track, expression, begin, event.t))
        if isinstance(event, events.Shown) and event.expression != _SILENT:
            current[event.track] = (event.expression, event.t)
    past += [Episode(track, expression, begin, last_t) for track, (expression, begin) in current.items()]
    return sorted(past, key=lambda episode: episode.begin)


def judge(cues: Sequence[Cue], shown: Sequence[Episode], seconds: float) -> Verdict:
    """Score the cues of expressions.

    Args:
        cues: the cues of the stream; those of other kinds are ignored.
        shown: the ground truth.
        seconds: length of the stream.
    """
    cues = [cue for cue in cues if cue.kind == "expression"]
    delays = []
    for episode in shown:
        right = (
            cue.t - episode.begin
            for cue in cues
            if (cue.track, cue.word) == (episode.track, episode.expression) and episode.begin <= cue.t <= episode.end
        )
        if (first := min(right, default=None)) is not None:
            delays.append(first)
    false = tuple(cue for cue in cues if not any(_is_of(cue, one) and cue.t <= one.end + STILL_TRUE_S for one in shown))
    in_time = sum(delay <= IN_TIME_S for delay in delays)
    return Verdict(seconds / 60, len(shown), in_time, tuple(sorted(delays)), false)


def _is_of(cue: Cue, episode: Episode) -> bool:
    """Whether a cue names the expression of an episode, and not before it."""
    return (cue.track, cue.word) == (episode.track, episode.expression) and cue.t >= episode.begin


def replay(path: Path, profile_path: Path | None, bundle_path: Path | None) -> int:
    """Replay a recording, and print its cues, and their score if it has ground truth. Returns 0."""
    wearer = store.read(profile_path) if profile_path else Profile()
    contract = load(bundle_path or SHIPPED).contract
    stream = read(path)
    cues = play(stream, policy_of(wearer, contract, ["light", "voice", "console"]))
    for cue in cues:
        outputs = ", ".join(output for output in cue.outputs if output != "console") or "nothing"
        whose = "" if cue.track is None else f"face {cue.track}: "
        print(f"{cue.t:8.2f} s  {whose}{wording.looks(cue.word)} ({outputs})")
    times = [event.t for event in stream if isinstance(event, events.Reading)]
    seconds = times[-1] - times[0]
    print(f"{seconds / 60:.1f} minutes, {len(times)} readings, {len(cues)} cues")
    if any(isinstance(event, events.Shown) for event in stream):
        shown = [replace(one, expression=tell_as(wearer, one.expression)) for one in episodes(stream)]
        for line in lines(judge(cues, shown, seconds)):
            print(line)
        if spoken := [cue for cue in cues if "voice" in cue.outputs]:
            print("of these, spoken:")
            for line in lines(judge(spoken, shown, seconds)):
                print(f"  {line}")
    return 0


def lines(verdict: Verdict) -> list[str]:
    """Return a verdict as lines of text."""
    share, least, most = verdict.share()
    cued, episodes = len(verdict.delays), f"{verdict.episodes} episode{'s' * (verdict.episodes != 1)}"
    counts = f"{episodes}, {cued} cued, {verdict.episodes - cued} missed"
    text = [f"{counts}; within {IN_TIME_S} s {share:.0%} (95 % interval {least:.0%} to {most:.0%})"]
    if verdict.delays:
        p50, p95 = (sorted(verdict.delays)[int(part * (len(verdict.delays) - 1))] for part in (0.5, 0.95))
        text.append(f"delay of the first cue: p50 {p50:.2f} s, p95 {p95:.2f} s")
    text.append(f"false cues: {len(verdict.false)}, {verdict.false_in_ten_minutes:.2f} in ten minutes")
    return text
