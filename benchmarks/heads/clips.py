"""Clips of people, through the whole pipeline: sweep, tracker, crop, network, settling, cues.

How far margins rise and vary is told besides; streams of persons (`benchmarks/persons.py`) were set by the training
split's.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from benchmarks.heads import camera, draw, identity, rig
from benchmarks.heads.expressions import ways
from benchmarks.heads.paint import tone
from benchmarks.heads.people import interpreter_of, interval, over_people
from benchmarks.heads.split import Chance, Split
from benchmarks.heads.timeline import FPS, SHOWN, Clip, Moment, Stretch
from benchmarks.rare import count_interval
from numpy.typing import NDArray

from cuelens.adapters.haar import HaarDetector
from cuelens.commands.replay import IN_TIME_S, STILL_TRUE_S
from cuelens.frame import Frame, Grey
from cuelens.runtime.build import assemble
from cuelens.types import Cue
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.expressions import NOT_A_FACE

WIDTH: Final = 640
HEIGHT: Final = 480
_FACES: Final = (90.0, 180.0)
_HALF_S: Final = FPS // 2
"""Frames of half a second."""
_AROUND: Final = 260
"""Side of what a sheet shows of a frame, in pixels."""


@dataclass(frozen=True)
class Watched:
    """What the pipeline made of one clip.

    Attributes:
        stretches: the truth.
        cues: of expressions, those that the pipeline gave.
        tracked: share of frames with a face that is followed.
        samples: of some moments the face, uint8 (260, 260).
        read: margins over neutral of every frame, by the labels of `SHOWN`, in nats, (frames, 3); not a number in
            frames without a followed face.
    """

    stretches: tuple[Stretch, ...]
    cues: tuple[Cue, ...]
    tracked: float
    samples: tuple[Grey, ...]
    read: NDArray[np.float64]

    def of(self, stretch: Stretch) -> NDArray[np.float64]:
        """Return the margins of a stretch, of an expression those at full strength, (frames with a face, 3)."""
        rows = self.read[round(stretch.apex * FPS) : round(stretch.fall * FPS)]
        return np.asarray(rows[np.isfinite(rows[:, 0])])


@dataclass(frozen=True)
class Score:
    """What the cues of one clip are worth.

    Attributes:
        delays: of each expression the time from its apex to the first right cue, infinite without one.
        false: cues in calm and in talk, when nothing had just been shown.
        wrong: cues of another expression than the one that is shown.
        minutes: of calm and talk.
    """

    delays: dict[str, float]
    false: tuple[Cue, ...]
    wrong: tuple[Cue, ...]
    minutes: float


class Film:
    """A person before the camera: a frame number always gives the same picture and the same truth."""

    def __init__(self, studio: draw.Studio, split: Split, number: int, stretches: tuple[Stretch, ...] = ()) -> None:
        """Seat a person.

        Args:
            studio: draws.
            split: of the person.
            number: of the person.
            stretches: what is done; left out, it is chosen.
        """
        self.clip = Clip(split, number, ways(split, number), stretches)
        self.sitter = studio.sitter(rig.build(identity.identity(split, number)))
        self._studio = studio
        self._around = camera.setting(split, number, WIDTH, HEIGHT, _FACES)
        self._sensor = camera.Sensor(split, number, self._around)
        self._tone = tone(Chance(split, number, "tone").between(0, 1))

    def frame(self, number: int) -> tuple[Grey, Moment]:
        """Return a frame, uint8 (480, 640), and the truth about it."""
        moment = self.clip.moment(number / FPS)
        view = camera.moved(self._around, moment.place).view
        head = self._studio.draw(self.sitter, moment.pose, self._tone, self._around.light, view)
        return self._sensor.picture(head, number), moment

    def middle(self, moment: Moment) -> tuple[int, int]:
        """Return the pixel of the middle of the face."""
        x, y, away = camera.moved(self._around, moment.place).view.place
        return round(WIDTH / 2 + camera.FOCAL * x / away), round(HEIGHT / 2 - camera.FOCAL * (y - 0.4) / away)


def watch(split: Split, bundle: Path, number: int) -> Watched:
    """Play a person's clip to the pipeline.

    Args:
        split: of the person.
        bundle: what reads the faces.
        number: of the person.
    """
    cv2.setNumThreads(1)
    film = Film(studio(), split, number)
    interpreter = interpreter_of(bundle)
    expressions = [label for label in interpreter.contract.labels if label not in ("neutral", NOT_A_FACE)]
    places = [expressions.index(kind) for kind in SHOWN]
    beats = assemble(HaarDetector(), interpreter, StageTimes())
    shown = {round((one.apex + one.fall) / 2 * FPS) for one in film.clip.stretches}
    cues, tracked, samples = [], 0, []
    read = np.full((film.clip.frames, len(SHOWN)), np.nan)
    for n in range(film.clip.frames):
        picture, moment = film.frame(n)
        decision = beats.process(Frame(picture, n / FPS, 0))
        tracked += bool(decision.faces)
        if decision.faces and (belief := decision.beliefs.get(decision.faces[0].track)):
            read[n] = [belief.margins[place] for place in places]
        if decision.cue and decision.cue.kind == "expression":
            cues.append(decision.cue)
        if n in shown:
            samples.append(_cut(picture, film.middle(moment)))
    film.sitter.release()
    return Watched(film.clip.stretches, tuple(cues), tracked / film.clip.frames, tuple(samples), read)


@lru_cache(maxsize=1)
def studio() -> draw.Studio:
    """Return what draws frames of a clip."""
    return draw.Studio(WIDTH, HEIGHT)


def _cut(picture: Grey, middle: tuple[int, int]) -> Grey:
    half = _AROUND // 2
    wide = cv2.copyMakeBorder(picture, half, half, half, half, cv2.BORDER_REPLICATE)
    x, y = (int(np.clip(at, 0, end)) for at, end in zip(middle, (WIDTH, HEIGHT), strict=True))
    return np.asarray(wide[y : y + _AROUND, x : x + _AROUND], np.uint8)


def judge(stretches: Sequence[Stretch], cues: Sequence[Cue]) -> Score:
    """Score the cues of a clip. An expression may be told from the moment it begins to rise.

    Args:
        stretches: the truth.
        cues: of expressions.
    """
    episodes = [one for one in stretches if one.kind in SHOWN]
    delays: dict[str, float] = {one.kind: float("inf") for one in episodes}
    false: list[Cue] = []
    wrong: list[Cue] = []
    for cue in cues:
        now = next(one for one in reversed(stretches) if one.begin <= cue.t)
        past = [one for one in episodes if one.begin <= cue.t <= one.end + STILL_TRUE_S and one.kind == cue.word]
        if past:
            delays[past[-1].kind] = min(delays[past[-1].kind], cue.t - past[-1].apex)
        else:
            (wrong if now.kind in SHOWN else false).append(cue)
    calm_s = sum(one.end - one.begin for one in stretches if one.kind not in SHOWN)
    return Score(delays, tuple(false), tuple(wrong), calm_s / 60)


def measure(split: Split, people: int, bundle: Path, jobs: int) -> list[Watched]:
    """Return what the pipeline made of the clip of each person.

    Args:
        split: whose people.
        people: how many of them.
        bundle: what reads the faces.
        jobs: processes.
    """
    return over_people("clips", partial(watch, split, bundle), people, jobs)


def lines(people: Sequence[Watched]) -> list[str]:
    """Return what was measured, in words."""
    scores = [judge(one.stretches, one.cues) for one in people]
    delays = np.array([[score.delays[kind] for kind in SHOWN] for score in scores])
    in_time = (delays <= IN_TIME_S).astype(float)
    false = np.array([(len(score.false), len(score.wrong), score.minutes) for score in scores])
    share, low, high = interval(in_time, lambda some: float(some.mean()))
    count, tens = int(false[:, 0].sum()), false[:, 2].sum() / 10
    rate, (least, most) = count / tens, count_interval(count)
    each = ", ".join(f"{kind} {part:.1%}" for kind, part in zip(SHOWN, in_time.mean(axis=0), strict=True))
    counts = Counter(cue.word for score in scores for cue in score.false)
    words = ", ".join(f"{word} {count}" for word, count in sorted(counts.items()))
    how_many = f"{count} in {10 * tens:.1f} minutes{': ' + words if words else ''}"
    ends = f"{least / tens:.2f} to {most / tens:.2f}"
    return [
        f"told within {IN_TIME_S:g} s of the apex: {share:.1%} (95 % interval {low:.1%} to {high:.1%}): {each}",
        f"told at all: {np.isfinite(delays).mean():.1%}",
        f"false cues in ten minutes of calm, blinks and talk: {rate:.2f} ({ends}), {how_many}",
        f"cues of another expression than the one shown: {int(false[:, 1].sum())} in {in_time.size} expressions",
        f"frames with a followed face: {np.mean([one.tracked for one in people]):.1%}",
        *spreads(people),
    ]


def spreads(people: Sequence[Watched]) -> list[str]:
    """Return how far margins over neutral rise, and how they differ between people and within one, in words."""
    said = ["margins over neutral in nats, mean and deviation between people:"]
    for place, kind in enumerate(SHOWN):
        calm, full, talk = [], [], []
        for one in people:
            rest = _column(one, "calm", place)
            shown, loud = _column(one, kind, place), _column(one, "talk", place)
            if min(len(rest), len(shown)) and len(loud) >= _HALF_S:
                calm.append(rest.mean())
                full.append(shown.mean())
                talk.append(_means(loud, _HALF_S, 1).max() - rest.mean())
        if len(calm) < 2:
            said.append(f"  {kind}: too few people were followed")
            continue
        said.append(
            f"  {kind}: calm {np.mean(calm):.1f} ({np.std(calm):.1f}), full {np.mean(full):.1f} ({np.std(full):.1f}),"
            f" correlated by {np.corrcoef(calm, full)[0, 1]:.2f};"
            f" highest half second of talk {np.median(talk):.1f} over calm, at most {np.max(talk):.1f}"
        )
    within = {kind: [_within(one, kind) for one in people] for kind in ("calm", "talk")}
    each = ", ".join(f"{np.nanmean(rows):.2f} in {kind}" for kind, rows in within.items() if np.isfinite(rows).any())
    return [*said, f"  means of single seconds of one person differ by {each or 'nothing: too few frames'}"]


def _column(one: Watched, kind: str, place: int) -> NDArray[np.float64]:
    rows = [one.of(stretch)[:, place] for stretch in one.stretches if stretch.kind == kind]
    return np.concatenate(rows) if rows else np.empty(0)


def _means(row: NDArray[np.float64], frames: int, step: int) -> NDArray[np.float64]:
    """Return the means of so many neighbouring frames each."""
    return np.convolve(row, np.full(frames, 1 / frames), "valid")[::step]


def _within(one: Watched, kind: str) -> float:
    """Return by how much the means of single seconds differ, the mean over labels; not a number if there are few."""
    columns = [_column(one, kind, place) for place in range(len(SHOWN))]
    if len(columns[0]) < 3 * FPS:
        return float("nan")
    return float(np.mean([_means(column, FPS, FPS).std(ddof=1) for column in columns]))


def sheet(people: Sequence[Watched]) -> Grey:
    """Return a picture with a row for each person: every stretch of the clip at its middle."""
    rows = [np.hstack([cv2.resize(face, (160, 160)) for face in one.samples]) for one in people[:12]]
    return np.asarray(np.vstack(rows), np.uint8)
