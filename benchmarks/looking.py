"""Quality of face finding and tracking on seeded scenes: recall, time to a first reading, swaps, false cues.

    python benchmarks/looking.py [--scenes 40] [--crossings 100] [--empty-frames 10000] [--seed 40000] [--jobs N]

Recall: the share of frames in which a face is tracked with an intersection over union of half or more, among frames in
which the face has been wholly in view for 0.7 s. Entry: the time from a face's first frame wholly in view to its first
reading, at 15 beats a second. Swaps: tracks that change from one person to the other when two people cross. False cues:
cues of the whole pipeline, light or voice, in front of pictures without people.
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
"""A missing face counts as a miss once it has been in view this long. Before that it counts as entry time."""
LATE_S = 9.9
"""The entry time of a visit in which the face is never found."""


@dataclass
class Visits:
    """Recall and entry times of some scenes. entries_s: one for each time that a face came wholly into view."""

    frames: int = 0
    detections: int = 0
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
    visits, eye = Visits(), finder()
    since: float | None = None
    waiting = False
    for frame, boxes in frames(scenes.visits(seed)):
        seen = eye.find(frame).seen
        if not boxes:
            if waiting:
                visits.entries_s.append(LATE_S)
            since, waiting = None, False
            continue
        if since is None:
            since, waiting = frame.t, True
        detected = any(overlap(face.box, boxes[0]) >= 0.5 for face in seen)
        if detected and waiting:
            visits.entries_s.append(frame.t - since)
            waiting = False
        if frame.t - since >= SETTLED_S:
            visits.frames += 1
            visits.detections += detected
    return visits


def look_at_crossing(seed: int) -> int:
    """Return how many tracks change from one person to the other."""
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
    """Return the person whose face this is, None if that is ambiguous."""
    shares = [overlap(face.box, box) for box in boxes]
    best = int(np.argmax(shares))
    clear = shares[best] >= 0.5 and len(boxes) == 2 and overlap(*boxes) < 0.1
    return best if clear else None


def look_at_nobody(name: str, seed: int, count: int) -> list[Cue]:
    cv2.setNumThreads(1)
    beats = assemble(HaarDetector(), Interpreter(load(SHIPPED)), StageTimes())
    scene = scenes.empty(name, seed, count / FPS)
    decisions = (beats.process(Frame(scene.picture(n)[0], n / FPS, 0)) for n in range(scene.frames))
    return [decision.cue for decision in decisions if decision.cue]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=40, help="scenes of three visits of ten seconds")
    parser.add_argument("--crossings", type=int, default=100)
    parser.add_argument("--empty-frames", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=40_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    with ProcessPoolExecutor(options.jobs) as pool:
        every = list(pool.map(look_at_visits, range(options.seed, options.seed + options.scenes)))
        if every:
            total, detections = sum(one.frames for one in every), sum(one.detections for one in every)
            entries = [entry for one in every for entry in one.entries_s]
            print(
                f"recall of the looking stage: {detections / total:.1%} of {total} frames with a face in view",
                flush=True,
            )
            print(
                f"a face enters view to its first reading: p50 {percentile(entries, 0.5):.2f} s,"
                f" p95 {percentile(entries, 0.95):.2f} s, of {len(entries)} entries",
                flush=True,
            )
        if options.crossings:
            swaps = list(pool.map(look_at_crossing, range(options.seed, options.seed + options.crossings)))
            print(f"swapped tracks in {options.crossings} crossings: {sum(swaps)}", flush=True)
        if options.empty_frames:
            names = scenes.TEXTURES
            each = -(-options.empty_frames // len(names))
            cues = list(
                pool.map(look_at_nobody, names, range(options.seed, options.seed + len(names)), [each] * len(names))
            )
            print(f"false cues in {each * len(names)} frames of {len(names)} pictures: {sum(map(len, cues))}")
            for name, false_cues in zip(names, cues, strict=True):
                for cue in false_cues:
                    print(f"  {name} at {cue.t:.1f} s: {cue.kind} {cue.word}")


if __name__ == "__main__":
    main()
