"""Smiles of graded strength, through the whole pipeline: how many of them are told.

A person is calm for three and a half seconds, then smiles for three, with one share of that person's full smile. Frames
before the smile are drawn once: they are the same for every strength.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from benchmarks.heads.clips import Film, studio
from benchmarks.heads.people import interpreter_of, over_people
from benchmarks.heads.split import Split
from benchmarks.heads.timeline import FPS, Stretch

from cuelens.adapters.haar import HaarDetector
from cuelens.frame import Frame, Grey
from cuelens.runtime.build import assemble
from cuelens.vision.stage_times import StageTimes
from cuelens_models.evaluate.binomial import share_interval

STRENGTHS: Final = (0.15, 0.3, 0.45, 0.6, 0.8, 1.0)
"""Shares of a person's full smile."""
_CALM_S: Final = 3.5
_RISE_S: Final = 0.4
_SMILE_S: Final = 3.0


@dataclass(frozen=True)
class Told:
    """What was told of one smile.

    Attributes:
        delay_s: from where it begins to rise until the light tells it; infinite if it is not told while it lasts.
        others: cues of expressions that were not shown.
        followed: share of the frames of the smile with a followed face.
        sample: the last frame, uint8 (480, 640).
    """

    delay_s: float
    others: int
    followed: float
    sample: Grey


def stretches(strength: float) -> tuple[Stretch, ...]:
    """Return a calm face and then a smile. strength: share of the full one."""
    end = _CALM_S + _SMILE_S
    calm = Stretch("calm", 0.0, 0.0, _CALM_S, _CALM_S)
    return (calm, Stretch("happy", _CALM_S, _CALM_S + _RISE_S, end, end, strength))


def watch(split: Split, bundle: Path, number: int) -> list[Told]:
    """Return what was told of a person's smile, by strength.

    Args:
        split: of the person.
        bundle: what reads the faces.
        number: of the person.
    """
    cv2.setNumThreads(1)
    calm: list[Grey] = []
    return [_watch_one(split, bundle, number, strength, calm) for strength in STRENGTHS]


def _watch_one(split: Split, bundle: Path, number: int, strength: float, calm: list[Grey]) -> Told:
    """Watch one smile. calm: the frames before it, which the first strength draws for all."""
    film = Film(studio(), split, number, stretches(strength))
    beats = assemble(HaarDetector(), interpreter_of(bundle), StageTimes())
    before = math.ceil(_CALM_S * FPS)
    if not calm:
        calm += [film.frame(n)[0] for n in range(before)]
    delay_s, others, followed = math.inf, 0, 0
    for n in range(film.clip.frames):
        picture = calm[n] if n < before else film.frame(n)[0]
        decision = beats.process(Frame(picture, n / FPS, 0))
        followed += n >= before and bool(decision.faces)
        if (cue := decision.cue) and cue.kind == "expression":
            if cue.word == "happy" and n >= before:
                delay_s = min(delay_s, cue.t - _CALM_S)
            else:
                others += 1
    film.sitter.release()
    return Told(delay_s, others, followed / (film.clip.frames - before), picture)


def measure(split: Split, people: int, bundle: Path, jobs: int) -> list[list[Told]]:
    """Return what was told of each person's smiles, by strength.

    Args:
        split: whose people.
        people: how many of them.
        bundle: what reads the faces.
        jobs: processes.
    """
    return over_people("strengths", partial(watch, split, bundle), people, jobs)


def figures(people: Sequence[Sequence[Told]]) -> dict[str, Any]:
    """Return what was measured, as `--json` writes it."""
    rows = []
    for strength, of in zip(STRENGTHS, zip(*people, strict=True), strict=True):
        delays = sorted(one.delay_s for one in of if math.isfinite(one.delay_s))
        rows.append(
            {
                "strength": strength,
                "told": len(delays),
                "interval": [round(end, 4) for end in share_interval(len(delays), len(people))],
                "delay_s": round(float(np.median(delays)), 2) if delays else None,
                "other_cues": sum(one.others for one in of),
                "followed": round(float(np.mean([one.followed for one in of])), 3),
            }
        )
    return {"people": len(people), "smile_s": _SMILE_S, "strengths": rows}


def lines(people: Sequence[Sequence[Told]]) -> list[str]:
    """Return what was measured, in words."""
    found = figures(people)
    said = []
    for row in found["strengths"]:
        low, high = row["interval"]
        delay = f", half of them within {row['delay_s']:.2f} s" if row["told"] else ""
        said.append(
            f"at {row['strength']:.0%} of the full smile: {row['told']} of {found['people']} told"
            f" (95 % interval {low:.0%} to {high:.0%}){delay}; other cues {row['other_cues']},"
            f" frames with a followed face {row['followed']:.1%}"
        )
    return said


def sheet(people: Sequence[Sequence[Told]]) -> Grey:
    """Return a picture with a row for each person: the end of each smile."""
    rows = [np.hstack([cv2.resize(one.sample, (213, 160)) for one in of]) for of in people[:12]]
    return np.asarray(np.vstack(rows), np.uint8)
