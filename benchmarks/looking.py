"""Quality of face finding and tracking on seeded scenes: recall, time to a first reading, boxes, swaps, false cues.

    python benchmarks/looking.py [--scenes 40] [--crossings 100] [--empty-frames 10000] [--seed 40000] [--jobs N]
    python benchmarks/looking.py --rate 7.5
    python benchmarks/looking.py --tilt [20 25 30]
    python benchmarks/looking.py --pairs london_pairs.npz

Recall: the share of frames in which a face is tracked with an intersection over union of half or more, among frames in
which the face has been wholly in view for 0.7 s. Entry: the time from a face's first frame wholly in view to its first
reading. Swaps: tracks that change from one person to the other when two people cross. False cues:
cues of the whole pipeline, light or voice, in front of pictures without people. The box against the placed box: mean
(bias) and standard deviation (jitter) of the logarithm of the side and of the centre in sides; the step is the standard
deviation of the change from one frame to the next. A scan of the whole frame by the detector alone stands beside it.

Half of the pictures behind people stood behind the faces that the network of candidates learned from, too.

--rate: beats a second, of the fifteen frames that there are. A warm board has 10, 7.5 or 5.
--tilt: the camera is rolled by so many degrees, both ways. Recall, of a face that is not turned by itself.
--pairs: the smiling faces of photographs, moved like the others. The share of readings that are happy with the tracked
box, against the share with the box of a scan of the whole frame.
"""

import argparse
import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path

import cv2
import numpy as np
import scenes
from photographs import Photograph, marked

from cuelens.adapters.demo_scene import FPS, Scene
from cuelens.adapters.haar import HaarDetector
from cuelens.commands.summary import percentile
from cuelens.frame import Frame, Grey
from cuelens.runtime.build import assemble
from cuelens.types import Box, Cue, Face
from cuelens.vision.boxes import to_frame, turned, turned_back
from cuelens.vision.classifier import Reader
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.file import SHIPPED, load
from cuelens_models.bundle.interpreter import Interpreter

SETTLED_S = 0.7
"""A missing face counts as a miss once it has been in view this long. Before that it counts as entry time."""
LATE_S = 9.9
"""The entry time of a visit in which the face is never found."""


Offset = tuple[int, float, float, float]
"""How a box differs from the placed one: number of the frame, then logarithm of the side, right and down in sides."""


@dataclass
class Visits:
    """What was measured in some scenes.

    Attributes:
        frames: with a face that has been in view for `SETTLED_S`.
        detections: of these, with a tracked face at its place.
        entries_s: one for each time that a face came wholly into view.
        tracked: the tracked boxes against the placed ones.
        scanned: the boxes of scans of the whole frame, the same.
        happy: readings that are happy, with the tracked box and with the scanned one.
        readings: number of these readings.
    """

    frames: int = 0
    detections: int = 0
    entries_s: list[float] = field(default_factory=list)
    tracked: list[Offset] = field(default_factory=list)
    scanned: list[Offset] = field(default_factory=list)
    happy: tuple[int, int] = (0, 0)
    readings: int = 0


def overlap(one: Box, other: Box) -> float:
    """Return the intersection over the union of two boxes."""
    across = min(one[0] + one[2], other[0] + other[2]) - max(one[0], other[0])
    down = min(one[1] + one[3], other[1] + other[3]) - max(one[1], other[1])
    shared = max(across, 0) * max(down, 0)
    return shared / (one[2] * one[3] + other[2] * other[3] - shared)


def eyes() -> Callable[[Frame], tuple[Face, ...]]:
    """Return what tells the faces in each frame: whole beats, for a beat that reads searches less."""
    beats = assemble(HaarDetector(), Interpreter(load(SHIPPED)), StageTimes())
    return lambda frame: beats.process(frame).faces


def beats_of(scene: Scene, rate: float) -> list[int]:
    """Return the numbers of a scene's frames that become beats. rate: beats a second."""
    return [round(beat * FPS / rate) for beat in range(int(scene.frames * rate / FPS))]


def frames(scene: Scene, rate: float, roll: float = 0.0) -> Iterator[tuple[Frame, tuple[Box, ...]]]:
    """Yield the frames of a scene that become beats, and the boxes of the faces.

    Args:
        scene: the scene.
        rate: beats a second.
        roll: of the camera, in degrees clockwise.
    """
    for number in beats_of(scene, rate):
        picture, boxes = scene.picture(number)
        if roll:
            picture = turned(picture, roll)
            boxes = tuple(turned_back(box, picture.shape, roll) for box in boxes)
            boxes = tuple(box for box in boxes if inside(box, picture))
        yield Frame(picture, number / FPS, 0), boxes


def inside(box: Box, picture: Grey) -> bool:
    """Whether a box lies wholly inside a picture."""
    x, y, width, height = box
    return x >= 0 and y >= 0 and x + width <= picture.shape[1] and y + height <= picture.shape[0]


def look_at_visits(seed: int, rate: float, roll: float = 0.0) -> Visits:
    """Follow the visitors of one scene.

    Args:
        seed: of the scene.
        rate: beats a second.
        roll: of the camera, in degrees; their heads then do not lean by themselves.
    """
    cv2.setNumThreads(1)
    visits, eye, detector = Visits(), eyes(), HaarDetector()
    since: float | None = None
    waiting = False
    for number, (frame, boxes) in enumerate(frames(scenes.visits(seed, lean=0 if roll else 12), rate, roll)):
        seen = eye(frame)
        if not boxes:
            if waiting:
                visits.entries_s.append(LATE_S)
            since, waiting = None, False
            continue
        if since is None:
            since, waiting = frame.t, True
        face = best(seen, boxes[0])
        if face and waiting:
            visits.entries_s.append(frame.t - since)
            waiting = False
        if frame.t - since >= SETTLED_S:
            visits.frames += 1
            visits.detections += face is not None
        scan = None if roll or not face else scanned(detector, frame.grey, boxes[0])
        if face and scan:
            visits.tracked.append(offset(number, face.box, boxes[0]))
            visits.scanned.append(offset(number, scan, boxes[0]))
    return visits


def look_at_smile(seed: int, person: Photograph, rate: float) -> Visits:
    """Read a photographed smile that moves, with the tracked box and with that of a scan of the whole frame.

    Args:
        seed: of the scene.
        person: who smiles.
        rate: beats a second.
    """
    cv2.setNumThreads(1)
    visits, eye, detector = Visits(), eyes(), HaarDetector()
    interpreter = Interpreter(load(SHIPPED))
    reader = Reader(interpreter, StageTimes())
    happy = interpreter.contract.labels.index("happy")
    for number, (frame, boxes) in enumerate(frames(scenes.visits(seed, 1, [person]), rate)):
        seen = eye(frame)
        face = best(seen, boxes[0]) if boxes else None
        scan = scanned(detector, frame.grey, boxes[0]) if face else None
        if not face or not scan:
            continue
        smiles = [int(np.argmax(reader.read(frame, one)) == happy) for one in (face, Face(0, scan, face.tilt))]
        visits.happy = visits.happy[0] + smiles[0], visits.happy[1] + smiles[1]
        visits.readings += 1
        visits.tracked.append(offset(number, face.box, boxes[0]))
        visits.scanned.append(offset(number, scan, boxes[0]))
    return visits


def best(seen: Sequence[Face], place: Box) -> Face | None:
    """Return the face that covers a place best, None if none covers half of it."""
    face = max(seen, key=lambda one: overlap(one.box, place), default=None)
    return face if face and overlap(face.box, place) >= 0.5 else None


def scanned(detector: HaarDetector, grey: Grey, place: Box) -> Box | None:
    """Return the detector's own box of the face at a place, from a scan of all sizes at full resolution."""
    x, y, side, _ = place
    left, top = max(x - side, 0), max(y - side, 0)
    boxes = detector.detect(grey[top : y + 2 * side, left : x + 2 * side], max(side // 2, detector.smallest), 2 * side)
    box = max((to_frame(box, left, top, 1) for box in boxes), key=lambda one: overlap(one, place), default=None)
    return box if box and overlap(box, place) >= 0.5 else None


def offset(number: int, box: Box, place: Box) -> Offset:
    side = place[2]
    right = (box[0] - place[0] + (box[2] - side) / 2) / side
    down = (box[1] - place[1] + (box[3] - side) / 2) / side
    return number, math.log(box[2] / side), right, down


def steadiness(name: str, offsets: Sequence[Sequence[Offset]]) -> str:
    """Return a line about the boxes of several scenes."""
    every = np.concatenate([np.reshape(scene, (-1, 4)) for scene in offsets])
    steps = [np.diff(np.reshape(scene, (-1, 4)), axis=0) for scene in offsets]
    following = np.concatenate([step[step[:, 0] == 1] for step in steps])
    bias, jitter, step = every.mean(axis=0)[1:], every.std(axis=0)[1:], following.std(axis=0)[1:]
    parts = ("side", "right", "down")
    figures = (f"{part} {bias[n]:+.3f} {jitter[n]:.3f} {step[n]:.3f}" for n, part in enumerate(parts))
    return f"{name} against the placed box (bias, jitter, step): {', '.join(figures)}"


def look_at_crossing(seed: int, rate: float) -> int:
    """Return how many tracks change from one person to the other. rate: beats a second."""
    cv2.setNumThreads(1)
    eye = eyes()
    owner: dict[int, int] = {}
    swaps = 0
    for frame, boxes in frames(scenes.crossing(seed), rate):
        for face in eye(frame):
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


def look_at_nobody(name: str, seed: int, count: int, rate: float) -> list[Cue]:
    cv2.setNumThreads(1)
    beats = assemble(HaarDetector(), Interpreter(load(SHIPPED)), StageTimes())
    scene = scenes.empty(name, seed, count / rate)
    decisions = (beats.process(Frame(scene.picture(n)[0], n / FPS, 0)) for n in beats_of(scene, rate))
    return [decision.cue for decision in decisions if decision.cue]


def tilted(pool: ProcessPoolExecutor, degrees: Sequence[float], seeds: range, rate: float) -> None:
    """Print the recall before a camera that is rolled. rate: beats a second."""
    for roll in degrees:
        both = [pool.map(look_at_visits, seeds, repeat(rate), repeat(way * roll)) for way in (1, -1)]
        every = [one for way in both for one in way]
        total, detections = sum(one.frames for one in every), sum(one.detections for one in every)
        entries = [entry for one in every for entry in one.entries_s]
        print(
            f"camera rolled by {roll:g} degrees: recall {detections / total:.1%} of {total} frames,"
            f" first reading p50 {percentile(entries, 0.5):.2f} s, p95 {percentile(entries, 0.95):.2f} s",
            flush=True,
        )


def smiles(pool: ProcessPoolExecutor, pairs: Path, seed: int, rate: float) -> None:
    """Print what becomes of photographed smiles by the tracked box. rate: beats a second."""
    with np.load(pairs) as data:
        pictures = data["frames"][data["expression"] == "happy"]
    people = [person for picture in pictures if (person := marked(picture))]
    every = list(pool.map(look_at_smile, range(seed, seed + len(people)), people, repeat(rate)))
    tracked, whole = (sum(one.happy[n] for one in every) for n in (0, 1))
    readings = sum(one.readings for one in every)
    print(
        f"smiles of {len(people)} people, {readings} readings: happy with the tracked box {tracked / readings:.1%},"
        f" with a scan of the frame {whole / readings:.1%}, ratio {tracked / whole:.3f}"
    )
    print(steadiness("tracked", [one.tracked for one in every]))
    print(steadiness("scanned", [one.scanned for one in every]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scenes", type=int, default=40, help="scenes of three visits of ten seconds")
    parser.add_argument("--crossings", type=int, default=100)
    parser.add_argument("--empty-frames", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=40_000)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--rate", type=float, default=FPS, metavar="BEATS", help="beats a second (%(default)s)")
    parser.add_argument("--tilt", type=float, nargs="*", metavar="DEGREES", help="with the camera rolled (20 25 30)")
    parser.add_argument("--pairs", type=Path, metavar="NPZ", help="with photographs of people who smile")
    options = parser.parse_args()
    if not 0 < options.rate <= FPS:
        parser.error(f"--rate {options.rate:g}: give a rate above 0, and at most the scenes' {FPS} a second")
    seeds = range(options.seed, options.seed + options.scenes)
    with ProcessPoolExecutor(options.jobs) as pool:
        if options.tilt is not None or options.pairs:
            if options.tilt is not None:
                tilted(pool, options.tilt or (20, 25, 30), seeds, options.rate)
            if options.pairs:
                smiles(pool, options.pairs, options.seed, options.rate)
            return
        every = list(pool.map(look_at_visits, seeds, repeat(options.rate)))
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
            print(steadiness("tracked", [one.tracked for one in every]))
            print(steadiness("scanned", [one.scanned for one in every]), flush=True)
        if options.crossings:
            crossings = range(options.seed, options.seed + options.crossings)
            swaps = list(pool.map(look_at_crossing, crossings, repeat(options.rate)))
            print(f"swapped tracks in {options.crossings} crossings: {sum(swaps)}", flush=True)
        if options.empty_frames:
            names = scenes.TEXTURES
            each = -(-options.empty_frames // len(names))
            rooms = range(options.seed, options.seed + len(names))
            cues = list(pool.map(look_at_nobody, names, rooms, repeat(each), repeat(options.rate)))
            print(f"false cues in {each * len(names)} frames of {len(names)} pictures: {sum(map(len, cues))}")
            for name, false_cues in zip(names, cues, strict=True):
                for cue in false_cues:
                    print(f"  {name} at {cue.t:.1f} s: {cue.kind} {cue.word}")


if __name__ == "__main__":
    main()
