"""How well faces are found and followed, on seeded scenes: recall, the time to a first reading, swaps, false cues.

    python benchmarks/looking.py [--scenes 40] [--crossings 100] [--empty-frames 10000] [--seed 40000] [--jobs N]

Recall: of the frames in which a face was wholly in view for 0.7 s already, those in which it is followed with a box
that overlaps the true one by half (intersection over union). Entry: from a face's first frame wholly in view to its
first reading, at 15 beats a second. Swaps: tracks that were on one person before two people crossed and on the other
one after it. False cues: cues given by the whole pipeline, light or voice, before pictures in which nobody is.
"""

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import cv2
import numpy as np
import scenes

from cuelens.adapters.demo_scene import FPS, Scene
from cuelens.adapters.haar import HaarDetector
from cuelens.commands.summary import percentile
from cuelens.frame import Frame
from cuelens.runtime.build import assemble
from cuelens.types import Box, Cue, Face
from cuelens.vision.face_finder import FaceFinder, LookPace, Optics
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.file import SHIPPED, load
from cuelens_models.bundle.interpreter import Interpreter

SETTLED_S = 0.7
"""How long a face is in view before a frame without it counts as a miss: what comes before is told as entry."""
LATE_S = 9.9
"""What is counted for a visit in which the face was never found."""


@dataclass
class Visits:
    """What became of the faces of some scenes. entries_s: of each time that a face came wholly into view."""

    frames: int = 0
    found: int = 0
    entries_s: list[float] = field(default_factory=list)


def overlap(one: Box, other: Box) -> float:
    """Return the intersection over the union of two boxes."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(across, 0) * max(down, 0)
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)


def finder() -> FaceFinder:
    return FaceFinder(HaarDetector(), Optics(), LookPace(), StageTimes())


def frames(scene: Scene) -> "list[tuple[Frame, tuple[Box, ...]]]":
    pictures = (scene.picture(number) for number in range(scene.frames))
    return [(Frame(picture, n / FPS, 0), boxes) for n, (picture, boxes) in enumerate(pictures)]


def look_at_visits(seed: int) -> Visits:
    cv2.setNumThreads(1)
    told, eye = Visits(), finder()
    since: float | None = None
    waited = False
    for frame, boxes in frames(scenes.visits(seed)):
        seen = eye.find(frame).seen
        if not boxes:
            if waited:
                told.entries_s.append(LATE_S)
            since, waited = None, False
            continue
        if since is None:
            since, waited = frame.t, True
        found = any(overlap(face.box, boxes[0]) >= 0.5 for face in seen)
        if found and waited:
            told.entries_s.append(frame.t - since)
            waited = False
        if frame.t - since >= SETTLED_S:
            told.frames += 1
            told.found += found
    return told


def look_at_crossing(seed: int) -> int:
    """Return how many tracks changed from one person to the other."""
    cv2.setNumThreads(1)
    eye = finder()
    owner: dict[int, int] = {}
    swaps = 0
    for frame, boxes in frames(scenes.crossing(seed)):
        for face in eye.find(frame).seen:
            who = whose(face, boxes)
            if who is not None and owner.setdefault(face.track, who) != who:
                owner[face.track] = who
                swaps += 1
    return swaps


def whose(face: Face, boxes: tuple[Box, ...]) -> int | None:
    """Return whose face this is, where that is beyond doubt."""
    shares = [overlap(face.box, box) for box in boxes]
    best = int(np.argmax(shares))
    beyond_doubt = shares[best] >= 0.5 and len(boxes) == 2 and overlap(*boxes) < 0.1
    return best if beyond_doubt else None


def look_at_nobody(name: str, seed: int, count: int) -> list[Cue]:
    cv2.setNumThreads(1)
    beats = assemble(HaarDetector(), Interpreter(load(SHIPPED)), StageTimes())
    scene = scenes.empty(name, seed, count / FPS)
    turned = (beats.process(Frame(scene.picture(n)[0], n / FPS, 0)) for n in range(scene.frames))
    return [decision.cue for decision in turned if decision.cue]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=40, help="scenes of three visits of ten seconds")
    parser.add_argument("--crossings", type=int, default=100)
    parser.add_argument("--empty-frames", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=40_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    given = parser.parse_args()
    with ProcessPoolExecutor(given.jobs) as pool:
        every = list(pool.map(look_at_visits, range(given.seed, given.seed + given.scenes)))
        if every:
            seen, found = sum(one.frames for one in every), sum(one.found for one in every)
            entries = [entry for one in every for entry in one.entries_s]
            print(f"recall of the looking stage: {found / seen:.1%} of {seen} frames with a face in view", flush=True)
            print(
                f"a face enters view to its first reading: p50 {percentile(entries, 0.5):.2f} s,"
                f" p95 {percentile(entries, 0.95):.2f} s, of {len(entries)} entries",
                flush=True,
            )
        if given.crossings:
            swaps = list(pool.map(look_at_crossing, range(given.seed, given.seed + given.crossings)))
            print(f"swapped tracks in {given.crossings} crossings: {sum(swaps)}", flush=True)
        if given.empty_frames:
            names = scenes.TEXTURES
            each = -(-given.empty_frames // len(names))
            cues = list(
                pool.map(look_at_nobody, names, range(given.seed, given.seed + len(names)), [each] * len(names))
            )
            print(f"false cues in {each * len(names)} frames of {len(names)} pictures: {sum(map(len, cues))}")
            for name, found_there in zip(names, cues, strict=True):
                for cue in found_there:
                    print(f"  {name} at {cue.t:.1f} s: {cue.kind} {cue.expression or ''}")


if __name__ == "__main__":
    main()
