"""Streams of persons: made-up hours in which a face stays the same person's, read anew from every frame.

    python benchmarks/persons.py [--data DATA]    # the spreads that they are made with

The streams of `streams.py` draw another face every second, so a person who is there says nothing about the next second.
Here somebody who comes into view is one face of the pool that shows no expression, until nobody is there. Three in four
stand near, one stands far off (`readings.py`). What the network says of a frame is a sum, in logarithms of
probabilities:

- the mean of the expression (or of neutral) over all faces;
- what this person adds. All of it while neutral; while an expression is shown, `OWN` of its variance, and the rest is
  what one face with that expression adds, the same face for the whole episode;
- what a turn of the head adds, `DRIFT` of what persons add, anew every 0.5 to 1.5 seconds;
- the camera's noise: what was added in one of eight views of the face, drawn anew in every frame. Every other view is a
  mirror image, and so is every other frame.

Episodes come as in the other streams. Between them a person talks more often than not, for whoever looks at a child
speaks to it. A mouth that talks goes part of the way (`TALK`) to the face of some expression for a third of the time,
for 0.2 to 0.5 seconds, on top of the person.

What these were set by: 24 synthetic heads of the training split (`python -m benchmarks.heads clips --split train
--people 24`), and two people who sign (`pairs.py --clips`). Margins at full expression correlate with those of the calm
face by 0.5 to 0.6, so they share a quarter to a third of the variance. The means of single seconds differ by 0.4 nats
while a head is calm, by 0.7 while it talks. The highest half second of talk is 2 to 4 nats over the calm face, by
label, and 7 for one head's surprise; of those who sign, 1 to 3.
"""

import argparse
import math
from functools import lru_cache
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from readings import BLUR, CAMERAS, NOISE, POOL, TREMBLE, VIEWS, Camera, views
from streams import Stream

from cuelens_models.bundle.file import SHIPPED, load

OWN: Final = 0.3
"""Share of the variance between faces of one expression that belongs to the person."""
DRIFT: Final = 0.25
"""Of what persons add, which is 2.2 nats."""
TALK: Final = 0.5
"""The most of the way to an expression that a talking mouth goes."""
FAR: Final = 0.25
"""Share of persons who stand far off."""
REST: Final = (0.35, 0.2, 0.45)
"""Shares of stretches beside the episodes: calm, nobody, and talk."""
LEAST: Final = 1e-7
"""Least probability. Below it a half-precision number says little."""


class Faces:
    """What a bundle says of faces in several views.

    Attributes:
        labels: the labels.
        truth: (faces,), the label's place.
        classes: (labels, labels), the mean logarithms of the faces of each label.
        added: (faces, labels), what each face adds to the mean of its label.
        noise: (views, faces, labels), what each view adds; every other view is of the mirror image.
    """

    def __init__(self, truth: NDArray[np.int64], scores: NDArray[np.float64], labels: list[str]) -> None:
        """Split the readings, of `streams.views`."""
        logs = np.log(np.maximum(scores, LEAST))
        logs -= logs.mean(axis=-1, keepdims=True)
        means = logs.mean(axis=0)
        whole = means.mean(axis=0)
        shown = [means[truth == place] for place in range(len(labels))]
        self.labels = labels
        self.truth = truth
        self.classes = np.stack([rows.mean(axis=0) if len(rows) else whole for rows in shown])
        self.added = means - self.classes[truth]
        self.noise = logs - means


@lru_cache
def faces(part: str, camera: Camera, file: Path = POOL) -> Faces:
    """Return the faces that persons are made of: held-out ones, or those of the inner split."""
    return Faces(*views(part, file, camera))


class PersonStream(Stream):
    """Makes the events of one stream. Every other frame is read as its mirror image."""

    _rest = REST

    def __init__(self, seed: int, part: str = "held_out", file: Path = POOL) -> None:
        super().__init__(seed, part, file)
        self._near, self._far = faces(part, "near", file), faces(part, "far", file)
        self._faces = self._near
        self._truth = self._faces.truth
        self._neutrals = np.flatnonzero(self._truth == self._neutral)
        self._others = np.flatnonzero(self._truth != self._neutral)
        self._person = self._face = self._noisy = 0
        self._frame = 0

    def _arrive(self) -> None:
        super()._arrive()
        self._person = int(self._random.choice(self._neutrals))
        self._faces = self._far if self._random.random() < FAR else self._near

    def _show(self, expression: str, until: float, *, talking: bool = False) -> None:
        self._face = int(self._random.choice(np.flatnonzero(self._truth == self._faces.labels.index(expression))))
        super()._show(expression, until, talking=talking)

    def _segment(self, expression: str, *, talking: bool) -> tuple[NDArray[np.float64], float]:
        seconds = float(self._random.uniform(0.5, 1.5))
        face = self._person if expression == "neutral" else self._face
        logs = self._looks(self._person)
        if talking:
            seconds = float(self._random.uniform(0.2, 0.5))
            if self._random.random() < 1 / 3:
                face = int(self._random.choice(self._others))
                way = float(self._random.uniform(0, TALK))
                logs = (1 - way) * logs + way * self._looks(face)
        elif face != self._person:
            logs = self._looks(face)
        self._noisy = face
        return logs + DRIFT * self._faces.added[self._random.choice(self._neutrals)], seconds

    def _looks(self, face: int) -> NDArray[np.float64]:
        """Return what is said of this person with the expression of a face; of the person alone if it is the face."""
        added, own = self._faces.added[face], self._faces.added[self._person]
        if face != self._person:
            added = OWN**0.5 * own + (1 - OWN) ** 0.5 * added
        return np.asarray(self._faces.classes[self._truth[face]] + added)

    def _read(self, logs: NDArray[np.float64]) -> NDArray[np.float64]:
        self._frame += 1
        view = 2 * int(self._random.integers(VIEWS // 2)) + self._frame % 2
        return logs + self._faces.noise[view, self._noisy]

    @staticmethod
    def _rounded(scores: NDArray[np.float64]) -> list[float]:
        return [float(f"{score:.4g}") for score in scores]


def spreads(scores: NDArray[np.float64], labels: list[str]) -> list[str]:
    """Return lines about neutral faces: mean, spread between and within faces of each label's margin over neutral.

    scores: probabilities, (faces, places of the crop, views, labels).
    """
    logs = np.log(np.maximum(scores, LEAST))
    margins = logs - logs[..., [labels.index("neutral")]]
    figures = {
        "mean": margins.mean(axis=(0, 1, 2)),
        "between faces": margins.mean(axis=(1, 2)).std(axis=0),
        "between crops of a face": margins.mean(axis=2).std(axis=1).mean(axis=0),
        "between views of a crop": np.sqrt(margins.var(axis=2, ddof=1).mean(axis=(0, 1))),
    }
    chosen = [place for place, label in enumerate(labels) if label not in ("neutral", "not_a_face")]
    lines = [f"{'':25}" + "".join(f"{labels[place]:>10}" for place in chosen)]
    for name, row in figures.items():
        if name != "between crops of a face" or scores.shape[1] > 1:
            lines.append(f"{name:25}" + "".join(f"{row[place]:10.2f}" for place in chosen))
    return lines


def photographed(file: Path) -> NDArray[np.float64]:
    """Return probabilities of the neutral photographs in a file, (people, 6 places of the crop, 4 views, labels).

    The box trembles as that of the near camera; the camera is that of `pairs.py`.
    """
    from cuelens.adapters.haar import HaarDetector
    from cuelens_models.bundle.interpreter import Interpreter
    from cuelens_models.bundle.preprocess import crop
    from cuelens_models.bundle.scores import probabilities

    random = np.random.default_rng(5)
    bundle, detector = load(SHIPPED), HaarDetector()
    interpreter = Interpreter(bundle)
    with np.load(file) as data:
        pictures = data["frames"][data["expression"] == "neutral"]
    people = []
    for picture in pictures:
        boxes = detector.detect(picture, 80, 320)
        if not boxes:
            continue
        x, y, side, _ = boxes[0]
        places = []
        for _ in range(6):
            right, down, larger = random.normal(0, TREMBLE)
            size = round(side * math.exp(larger))
            left, top = round(x + right * side + (side - size) / 2), round(y + down * side + (side - size) / 2)
            read = []
            for view in range(4):
                noisy = cv2.GaussianBlur(picture, (0, 0), BLUR) * 0.7 + random.normal(0, NOISE, picture.shape)
                frame = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
                face = crop(frame, (left, top, size, size), bundle.contract)
                read.append(interpreter.outputs(np.ascontiguousarray(face[:, :: (-1) ** view])))
            places.append(probabilities(np.stack(read), bundle.contract))
        people.append(places)
    return np.array(people)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="the folder that holds london_pairs.npz")
    folder = parser.parse_args().data
    for camera in CAMERAS:
        truth, scores, labels = views("inner", camera=camera)
        neutral = scores[:, truth == labels.index("neutral")].swapaxes(0, 1)[:, None]
        print(f"{len(neutral)} neutral faces of the inner split, {camera}, margins over neutral:")
        print("\n".join(spreads(neutral, labels)))
    if folder:
        people = photographed(folder / "london_pairs.npz")
        print(f"\n{len(people)} neutral adults photographed in one studio:")
        print("\n".join(spreads(people, labels)))


if __name__ == "__main__":
    main()
