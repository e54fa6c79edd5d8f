"""Which beats read faces after searches, with a finder whose sights the test chooses."""

from typing import Any, cast

import numpy as np
import pytest

from cuelens.cues.fading import FadingRule
from cuelens.cues.modes import mode
from cuelens.cues.modes.mode import PlayRule
from cuelens.cues.policy import CuePolicy
from cuelens.frame import Frame
from cuelens.profile.profile import Profile
from cuelens.profile.rules import limit_rule, settle_rule
from cuelens.runtime.pipeline import Pipeline
from cuelens.types import Face, Sight
from cuelens.vision.face_finder import FaceFinder
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.expressions import LABELS, NOT_A_FACE

ANNA, BEN = Face(1, (100, 100, 100, 100)), Face(2, (400, 100, 100, 100))


class Reader:
    """Reads each face as slightly happy, so that each beat would read it."""

    labels = (*LABELS, NOT_A_FACE)

    def __init__(self) -> None:
        self.read_tracks: list[int] = []

    def read(self, frame: Frame, face: Face, *, mirrored: bool = False) -> tuple[float, ...]:
        self.read_tracks.append(face.track)
        return tuple(0.6 if label == "happy" else 0.4 / (len(self.labels) - 1) for label in self.labels)


class Finder:
    """Tells the chosen sight, and notes whether the beat had read."""

    def __init__(self) -> None:
        self.sight = Sight((), (), ())
        self.spent: list[bool] = []

    def follow(self, frame: Frame) -> Sight:
        return self.sight

    def seek(self, frame: Frame, *, spent: bool = False, reduced: bool = False) -> None:
        self.spent.append(spent)


class Beats:
    """Beats of a pipeline, and the tracks that each has read."""

    def __init__(self) -> None:
        self.finder, self.reader, self.n = Finder(), Reader(), 0
        self.pipeline = Pipeline(
            cast("FaceFinder", self.finder),
            self.reader,
            CuePolicy(
                settle_rule(Profile(), Reader.labels, {}),
                limit_rule(Profile(), ["light"]),
                mode("companion"),
                PlayRule(),
                FadingRule(),
                remembered_s=2.0,
            ),
            StageTimes(),
            lambda event: None,
        )

    def read(self, searched: int, *seen: Face, appeared: tuple[Face, ...] = (), **asked: Any) -> list[int]:
        """One beat. Returns the tracks that it read."""
        self.finder.sight = Sight(seen, appeared, (), searched)
        self.reader.read_tracks.clear()
        self.n += 1
        self.pipeline.process(Frame(np.full((480, 640), 90, np.uint8), self.n / 15, 0), **asked)
        return list(self.reader.read_tracks)


@pytest.fixture
def beats() -> Beats:
    """Beats in which Anna was read twice."""
    beats = Beats()
    assert [beats.read(0, ANNA, appeared=(ANNA,)), beats.read(0, ANNA)] == [[1], [1]]
    return beats


def test_where_one_is_searched_for_in_every_beat_every_other_one_reads(beats: Beats) -> None:
    assert [beats.read(1, ANNA) for _ in range(4)] == [[], [1]] * 2
    assert beats.finder.spent == [True, True, *[False, True] * 2]


def test_a_search_puts_off_no_first_reading(beats: Beats) -> None:
    assert beats.read(1, ANNA, BEN) == [2]


def test_two_searches_put_off_every_reading_by_a_beat(beats: Beats) -> None:
    assert [beats.read(2, ANNA, BEN) for _ in range(4)] == [[], [1, 2]] * 2


@pytest.mark.parametrize("searched", [1, 2])
def test_where_every_other_beat_is_reduced_every_other_whole_one_reads_all(beats: Beats, searched: int) -> None:
    assert beats.read(0, ANNA, BEN, appeared=(BEN,)) == [1, 2]
    rounds = [beats.read(searched, ANNA, BEN, reduced=n % 2 == 1) for n in range(4)]
    assert [BEN.track in tracks for tracks in rounds] == [False, False, True, False]


def test_who_appears_is_read_at_once_unless_two_were_searched_for(beats: Beats) -> None:
    assert beats.read(1, ANNA, BEN, appeared=(BEN,)) == [1, 2]
    other = Beats()
    assert other.read(2, ANNA, BEN, appeared=(ANNA, BEN)) == []
    assert other.read(2, ANNA, BEN) == [1, 2]


@pytest.mark.parametrize("searched", [1, 2])
@pytest.mark.parametrize("asked", ["press", "closely"])
def test_a_reading_that_somebody_asks_for_does_not_wait(beats: Beats, searched: int, asked: str) -> None:
    assert beats.read(searched, ANNA, BEN, **{asked: True}) == [1, 2]
