from math import inf

import numpy as np
import pytest
from benchmarks.heads import clips, stills
from benchmarks.heads.clips import judge
from benchmarks.heads.people import interval
from benchmarks.heads.timeline import Stretch
from benchmarks.rare import count_interval

from cuelens.types import Cue

CLIP = (
    Stretch("calm", 0, 0, 3, 3),
    Stretch("happy", 3, 3.5, 5, 5.5),
    Stretch("talk", 5.5, 5.7, 9.8, 10),
    Stretch("angry", 10, 10.5, 12, 12.5),
    Stretch("calm", 12.5, 12.5, 16, 16),
)

# Cues, then: delay of happy, delay of angry, false cues, wrong cues.
CUES = [
    ([], inf, inf, 0, 0),
    ([(4.0, "happy")], 0.5, inf, 0, 0),
    ([(3.2, "happy")], -0.3, inf, 0, 0),
    ([(5.0, "happy"), (5.2, "happy")], 1.5, inf, 0, 0),
    ([(6.9, "happy")], 3.4, inf, 0, 0),
    ([(7.1, "happy")], inf, inf, 1, 0),
    ([(2.9, "happy")], inf, inf, 1, 0),
    ([(4.0, "surprise")], inf, inf, 0, 1),
    ([(4.0, "angry"), (11.0, "angry")], inf, 0.5, 0, 1),
    ([(7.0, "surprise"), (13.0, "happy")], inf, inf, 2, 0),
]


@pytest.mark.parametrize(("cues", "happy", "angry", "false", "wrong"), CUES)
def test_cues_are_judged(cues: list[tuple[float, str]], happy: float, angry: float, false: int, wrong: int) -> None:
    score = judge(CLIP, [Cue(t, "expression", 1, word, ("light",)) for t, word in cues])
    assert score.delays == pytest.approx({"happy": happy, "angry": angry})
    assert (len(score.false), len(score.wrong)) == (false, wrong)
    assert score.minutes == pytest.approx(11 / 60)


def watched(calm: float, full: float, followed: float = 1.0) -> clips.Watched:
    """Return a clip whose talk is half of a second at 3 over the calm face, and calm else."""
    read = np.full((16 * clips.FPS, 3), calm, float)
    read[round(3.5 * clips.FPS) : round(5 * clips.FPS), 0] = full
    read[6 * clips.FPS : 6 * clips.FPS + clips.FPS // 2, 0] = calm + 3
    read[round(followed * len(read)) :] = np.nan
    return clips.Watched(CLIP, (), followed, (), read)


def test_how_far_margins_rise_and_differ_is_told() -> None:
    told = clips.spreads([watched(-6, 4), watched(-4, 5), watched(-5, 6), watched(-5, 9, followed=0.1)])
    assert told[1] == (
        "  happy: calm -5.0 (0.8), full 5.0 (0.8), correlated by 0.50; highest half second of talk 3.0 over calm,"
        " at most 3.0"
    )
    assert told[2] == "  surprise: too few people were followed"
    assert told[-1].startswith("  means of single seconds of one person differ by 0.00 in calm, 0.")


def test_nobody_followed_has_no_margins() -> None:
    told = clips.spreads([watched(-6, 4, followed=0.0)] * 3)
    assert all("too few" in line for line in told[1:])


def test_an_interval_holds_the_figure_and_narrows_with_people() -> None:
    for count in (20, 500):
        people = np.tile((4.0, 6.0), count // 2)
        mean, low, high = interval(people, lambda some: float(some.mean()), 1000)
        assert mean == 5
        # Of standard deviation 1: twice 1.96 standard errors.
        assert high - low == pytest.approx(3.92 / count**0.5, rel=0.15)


@pytest.mark.parametrize(("count", "least", "most"), [(0, 0, 3.7), (1, 0.0, 5.6), (10, 4.8, 18.4), (100, 81.4, 121.6)])
def test_no_false_cue_is_no_proof(count: int, least: float, most: float) -> None:
    assert count_interval(count) == pytest.approx((least, most), abs=0.1)


def test_a_missed_face_counts_as_wrong() -> None:
    grey = np.zeros((48, 48), np.uint8)
    shown = ("neutral", "happy", "surprise", "angry")

    def person(missed: str) -> list[stills.Pair]:
        return [
            stills.Pair(one, (one, stills.MISSED if one == missed else one), (one, one), (grey, grey)) for one in shown
        ]

    said, looked = "\n".join(stills.lines([person("happy"), person("angry")])).split("the glasses' search")
    assert "lightest minus darkest: 0.0 points" in looked
    assert "lightest: 100.0%, 100.0%, 100.0%, 100.0%; 100.0%" in said
    assert "darkest: 100.0%, 50.0%, 100.0%, 50.0%; 75.0%" in said
    assert "lightest minus darkest: 25.0 points" in said
    assert "both faces are found (75.0% of pairs), answers alone: 100.0% and 100.0%" in said


def test_false_cues_are_counted_in_calm_and_talk() -> None:
    cue = Cue(7.1, "expression", 1, "happy", ("light",))
    told = Cue(11.0, "expression", 1, "angry", ("light",))
    surprise = (*CLIP, Stretch("surprise", 16, 16.5, 18, 18.5))
    people = [
        clips.Watched(surprise, (cue, told), 1.0, (), np.full((18 * clips.FPS, 3), calm)) for calm in (-6.0, -5.0)
    ]
    said = "\n".join(clips.lines(people))
    assert "told within 1.2 s of the apex: 33.3%" in said
    assert "happy 0.0%, surprise 0.0%, angry 100.0%" in said
    assert "2 in 0.4 minutes: happy 2" in said
