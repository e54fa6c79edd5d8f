"""The overhead of a beat over the bare calls in it, and how it grows with faces, frame size and hours.

    taskset -c 0 python benchmarks/beat.py [--seconds 40] [--growth [JSON]] [--long BEATS]

The scene is one face of 110 pixels in 640x480, in front of bricks. Times are processor time of the thread and of beats
alone: the scene is drawn beforehand. The baseline is the cascade calls of the same run and the invokes of both
networks: they are recorded, then replayed back to back without anything between them. --growth: the mean beat by faces
in view and by frame size, which `make plots` draws. --long: memory after this many beats, compared with memory after
2,000.
"""

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import scenes
from ai_edge_litert.interpreter import Interpreter as LiteRt

from cuelens.adapters.candidate_network import FILE as CANDIDATES
from cuelens.adapters.demo_scene import FPS, Scene
from cuelens.adapters.haar import HaarDetector
from cuelens.commands.summary import percentile
from cuelens.frame import Frame, Grey
from cuelens.health.board import resident_mb
from cuelens.runtime.build import assemble
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.cascade import NEIGHBOURS, STEP, cascade_file, lifted
from cuelens_models.bundle.file import SHIPPED, load
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.command import to_json

WARM: Final = 45
"""Warm-up: beats that are not counted, while the face is being found."""


class Recorder:
    """A pipeline that records its cascade calls, looks and invokes if `keep` is set."""

    def __init__(self, *, keep: bool) -> None:
        self.detector, self.interpreter = HaarDetector(), Interpreter(load(SHIPPED))
        self.scans: list[tuple[Grey, int, int, int]] = []
        self.tensors: list[Any] = []
        self.looks: list[Grey] = []
        if keep:
            self._record()
        self.watch = StageTimes(time.thread_time_ns)
        self.beats = assemble(self.detector, self.interpreter, self.watch)

    def _record(self) -> None:
        faces, hits, invoke = self.detector.faces, self.detector.hits, self.interpreter.invoke

        def recorded_scan(call: Callable[..., Any], neighbours: int) -> Callable[..., Any]:
            def scan(picture: Grey, smallest: int, largest: int) -> Any:
                self.scans.append((lifted(picture), smallest, largest, neighbours))
                return call(picture, smallest, largest)

            return scan

        def recorded_invoke(tensor: Any) -> Any:
            self.tensors.append(tensor.copy())
            return invoke(tensor)

        def recorded_look(picture: Grey) -> Any:
            self.looks.append(picture.copy())
            return look(picture)

        look = self.detector.candidates
        scans = {"faces": recorded_scan(faces, NEIGHBOURS), "hits": recorded_scan(hits, 0)}
        vars(self.detector).update(**scans, candidates=recorded_look)
        vars(self.interpreter).update(invoke=recorded_invoke)

    def run(self, pictures: list[Grey]) -> None:
        """Process pictures at fifteen frames a second."""
        for number, picture in enumerate(pictures):
            self.beats.process(Frame(picture, number / FPS, 0))

    def forget(self) -> None:
        """Clear the record."""
        self.scans.clear()
        self.tensors.clear()
        self.looks.clear()


def pictures_of(scene: Scene) -> list[Grey]:
    return [scene.picture(number)[0] for number in range(scene.frames)]


def bare_ms(recorder: Recorder) -> float:
    """Return the processor time of the recorded calls, replayed with OpenCV and the runtime alone."""
    cascade = cv2.CascadeClassifier(str(cascade_file()))
    again = LiteRt(model_content=load(SHIPPED).model, num_threads=1)
    again.allocate_tensors()
    source, target = again.get_input_details()[0]["index"], again.get_output_details()[0]["index"]
    proposer = LiteRt(model_content=CANDIDATES.read_bytes(), num_threads=1)
    proposer.allocate_tensors()
    view, *_ = proposer.get_input_details()
    outputs = [output["index"] for output in proposer.get_output_details()]
    rows, columns = view["shape"][1:3].tolist()
    frames = [np.resize(picture, (1, rows, columns, 1)).view(np.int8) for picture in recorder.looks]
    times_ms = []
    for _ in range(3):
        began = time.thread_time_ns()
        for picture, smallest, largest, neighbours in recorder.scans:
            cascade.detectMultiScale(picture, STEP, neighbours, 0, (smallest, smallest), (largest, largest))
        for tensor in recorder.tensors:
            again.set_tensor(source, tensor)
            again.invoke()
            again.get_tensor(target)
        for frame in frames:
            proposer.set_tensor(view["index"], frame)
            proposer.invoke()
            for output in outputs:
                proposer.get_tensor(output)
        times_ms.append((time.thread_time_ns() - began) / 1e6)
    return min(times_ms)


def cost(scene: Scene, size: tuple[int, int] | None = None) -> list[float]:
    """Return the milliseconds of each beat of a scene after the warm-up, each the minimum of three runs."""
    pictures = pictures_of(scene)
    if size:
        pictures = [
            np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8) for picture in pictures
        ]
    runs = []
    for _ in range(3):
        once = Recorder(keep=False)
        once.run(pictures)
        runs.append([beat[1] / 1e6 for beat in once.watch.beats][WARM:])
    return np.min(runs, axis=0).tolist()


def one_face(seconds: float) -> None:
    scene = scenes.standing(1, seconds)
    pictures = pictures_of(scene)
    totals = cost(scene)
    once = Recorder(keep=True)
    once.run(pictures[:WARM])
    once.forget()
    once.watch.beats.clear()
    once.run(pictures[WARM:])
    bare = bare_ms(once) / len(totals)
    plain = Recorder(keep=False)
    plain.run(pictures)
    beats = list(plain.watch.beats)[WARM:]
    stages = [sum(column) for column in list(zip(*beats, strict=True))[1:]]
    mean, p95 = float(np.mean(totals)), percentile(totals, 0.95)
    print(f"one face, {len(totals)} beats, {len(once.tensors)} readings, {len(once.scans)} scans:")
    print(f"  frame to decision: mean {mean:.2f} ms, p95 {p95:.2f} ms, p95 / mean {p95 / mean:.2f}")
    print(f"  the bare calls: {bare:.2f} ms a beat, beat / bare {mean / bare:.2f}")
    print(
        f"  cascade {stages[1] / stages[0]:.1%}, invoke {stages[3] / stages[0]:.1%},"
        f" all else {1 - (stages[1] + stages[3]) / stages[0]:.1%} (crop {stages[2] / stages[0]:.1%})"
    )


def followed(scene: Scene) -> str:
    """Return how many faces are followed at the end of a scene, and when the last of them was found."""
    beats = Recorder(keep=False).beats
    seen = [beats.process(Frame(picture, n / FPS, 0)).faces for n, picture in enumerate(pictures_of(scene))]
    known = {face.track for face in seen[-1]}
    found_s = max(min(n for n, faces in enumerate(seen) if track in {face.track for face in faces}) for track in known)
    return f"{len(known)} followed, the last after {found_s / FPS:.1f} s"


def growth(file: Path | None) -> None:
    faces = {count: float(np.mean(cost(scenes.standing(count, 12)))) for count in (1, 2, 4, 8)}
    sizes = {
        width: float(np.mean(cost(scenes.standing(1, 12), (width, width * 3 // 4)))) for width in (320, 640, 960, 1280)
    }
    rows = {"faces": faces, "widths": sizes}
    for count, ms in faces.items():
        print(f"{count} faces in view: mean beat {ms:.2f} ms, {followed(scenes.standing(count, 20))}")
    for width, ms in sizes.items():
        print(f"frames {width}x{width * 3 // 4}: mean beat {ms:.2f} ms")
    if file:
        means = {name: {str(key): round(ms, 3) for key, ms in row.items()} for name, row in rows.items()}
        file.write_text(to_json(means) + "\n")
        print(f"written: {file}")


def long_run(count: int) -> None:
    """Print resident memory after 2,000 beats and after `count`."""
    pictures = pictures_of(scenes.standing(1, 12))
    pipeline = Recorder(keep=False)
    at: dict[int, float] = {}
    for number in range(count + 1):
        pipeline.beats.process(Frame(pictures[number % len(pictures)], number / FPS, 0))
        if number in (2_000, count):
            at[number] = resident_mb()[0]
    growth = at[count] / at[2_000] - 1
    print(f"memory: {at[2_000]:.1f} MB after 2,000 beats, {at[count]:.1f} MB after {count:,}: {growth:+.2%}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=40)
    parser.add_argument("--growth", type=Path, nargs="?", const=Path(), metavar="JSON", help="measure growth")
    parser.add_argument("--long", type=int, default=0, metavar="BEATS")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    one_face(options.seconds)
    if options.growth is not None:
        growth(options.growth if options.growth.name else None)
    if options.long:
        long_run(options.long)


if __name__ == "__main__":
    main()
