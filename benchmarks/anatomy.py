"""What a beat is made of: each part's begin and end, for the pictures of docs/results.

    taskset -c 0 python benchmarks/anatomy.py [--json docs/results/beat.json] [--rounds 5]

The built-in scene is played as fast as it goes, some times over. Times are processor time of the thread. What a call of
OpenCV or of the model's runtime takes lies inside the part that makes it. Of each beat the round counts in which it
took least. A beat belongs to one of three kinds: nobody is followed, a face is followed and read, or it is followed
only. The typical beat of a kind is the median one.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from cuelens.adapters.demo_scene import FPS, demo_scene
from cuelens.adapters.haar import HaarDetector
from cuelens.commands.summary import percentile
from cuelens.frame import Frame
from cuelens.runtime.build import assemble
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.file import SHIPPED, load
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.command import to_json

KINDS: Final = ("nobody followed", "a face followed and read", "a face followed only")
STAGES: Final = ("cascade", "rest of looking", "crop", "invoke", "settle and decide", "all else")
"""Whose times add up to a beat's."""
FEWEST: Final = 10
"""Beats of a kind from which on it is told."""
_PARTS: Final = {"look": 0, "read": 0, "decide": 0, "cascade": 1, "invoke": 1}
"""The parts, by depth: a part of depth 1 lies in one of depth 0."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of a beat. Times in nanoseconds since the beat began."""

    part: str
    begin: int
    end: int


@dataclass(slots=True)
class Beat:
    """One beat. took: in nanoseconds. followed: faces."""

    spans: list[Span] = field(default_factory=list)
    took: int = 0
    followed: int = 0

    @property
    def kind(self) -> str:
        """Whether somebody is followed, and read."""
        if not self.followed:
            return KINDS[0]
        return KINDS[1] if any(span.part == "invoke" for span in self.spans) else KINDS[2]

    def part(self, name: str) -> int:
        """Return the time in a part, in nanoseconds."""
        return sum(span.end - span.begin for span in self.spans if span.part == name)

    def stages(self) -> dict[str, int]:
        """Return the time of each stage, in nanoseconds."""
        look, read, decide, cascade, invoke = (self.part(name) for name in _PARTS)
        times = (cascade, look - cascade, read - invoke, invoke, decide, self.took - look - read - decide)
        return dict(zip(STAGES, times, strict=True))


class Anatomist:
    """A pipeline of which every part says when it begins and ends."""

    def __init__(self) -> None:
        detector, interpreter = HaarDetector(), Interpreter(load(SHIPPED))
        self._tell(detector, "cascade", "faces", "hits", "candidates")
        self._tell(interpreter, "invoke", "invoke")
        self._beats = assemble(detector, interpreter, StageTimes())
        rooms = vars(self._beats)
        self._tell(rooms["_finder"], "look", "follow", "seek")
        self._tell(rooms["_reader"], "read", "read")
        self._tell(rooms["_policy"], "decide", "step")
        self._now = Beat()
        self._began = 0

    def beat(self, frame: Frame) -> Beat:
        """Process a frame."""
        self._now = Beat()
        self._began = time.thread_time_ns()
        decision = self._beats.process(frame)
        self._now.took = time.thread_time_ns() - self._began
        self._now.followed = len(decision.faces)
        return self._now

    def _tell(self, owner: Any, part: str, *names: str) -> None:
        vars(owner).update({name: self._told(part, getattr(owner, name)) for name in names})

    def _told(self, part: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def told(*given: Any, **named: Any) -> Any:
            begin = time.thread_time_ns()
            result = call(*given, **named)
            self._now.spans.append(Span(part, begin - self._began, time.thread_time_ns() - self._began))
            return result

        return told


def measure(rounds: int) -> list[Beat]:
    """Return the beats of the scene, each from the round in which it took least."""
    scene = demo_scene()
    pictures = [scene.picture(number)[0] for number in range(scene.frames)]
    played = []
    for _ in range(rounds):
        glasses = Anatomist()
        played.append([glasses.beat(Frame(picture, number / FPS, 0)) for number, picture in enumerate(pictures)])
    return [min(same, key=lambda beat: beat.took) for same in zip(*played, strict=True)]


def figures(beats: list[Beat]) -> dict[str, Any]:
    """Return what was measured, in milliseconds."""
    kinds = {}
    for kind in KINDS:
        own = sorted((beat for beat in beats if beat.kind == kind), key=lambda beat: beat.took)
        if len(own) < FEWEST:
            continue
        stages = [beat.stages() for beat in own]
        typical = own[len(own) // 2]
        kinds[kind] = {
            "beats": len(own),
            "whole": _summary([beat.took for beat in own]),
            "stages": {name: _summary([times[name] for times in stages]) for name in STAGES},
            "typical": {
                "whole": _ms(typical.took),
                "spans": [[span.part, _PARTS[span.part], _ms(span.begin), _ms(span.end)] for span in typical.spans],
            },
        }
    return {"period": round(1000 / FPS, 1), "kinds": kinds}


def _summary(times_ns: list[int]) -> dict[str, float]:
    shares = {name: _ms(percentile(times_ns, share)) for name, share in (("p50", 0.5), ("p95", 0.95))}
    return {"mean": _ms(float(np.mean(times_ns))), **shares}


def _ms(ns: float) -> float:
    return round(ns / 1e6, 4)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    found = figures(measure(options.rounds))
    for kind, of in found["kinds"].items():
        print(f"{kind}, {of['beats']} beats: p50 {of['whole']['p50']:.2f} ms, p95 {of['whole']['p95']:.2f} ms")
        for name, times in of["stages"].items():
            print(f"  {name:<18} p50 {times['p50']:6.3f} ms  p95 {times['p95']:6.3f} ms  mean {times['mean']:6.3f} ms")
    if options.json:
        options.json.write_text(to_json(found) + "\n")


if __name__ == "__main__":
    main()
