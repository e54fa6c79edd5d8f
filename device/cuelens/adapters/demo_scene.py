"""The demo scene, with ground-truth boxes: photographs of faces move over a real texture, with sensor noise.

The photographs of Eileen Collins and Grace Hopper are in the public domain, and ship with cuelens (NOTICE). Their
expressions are their own: none is painted on. Demo, tests and benchmarks all play this scene.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from cuelens.frame import Frame, Grey
from cuelens.types import Box

PHOTOGRAPHS: Final = Path(__file__).parent / "photographs"
WIDTH: Final = 640
HEIGHT: Final = 480
FPS: Final = 15
_NOISE: Final = 4.0
"""Standard deviation of the sensor noise in grey levels, as of a small sensor indoors."""
_SEED: Final = 1969
_DIMMED: Final = ((18.0, 1.0), (19.0, 0.45), (21.0, 0.45), (22.0, 1.0))
"""Brightness of the room as (seconds, level): dimmed while the second person is there."""


@dataclass(frozen=True, slots=True)
class Place:
    """A keyframe of an actor's path.

    Attributes:
        t: Seconds since the start of the scene.
        x: Centre of the actor's mark, in pixels of the frame.
        y: Centre of the actor's mark, in pixels of the frame.
        size: Side of the actor's mark, in pixels of the frame.
        turn: Rotation in degrees, counter-clockwise.
    """

    t: float
    x: float
    y: float
    size: float
    turn: float = 0.0


@dataclass(frozen=True, slots=True)
class Actor:
    """A picture that moves through the scene.

    Attributes:
        picture: Grey pixels.
        mask: Opacity of each pixel, 0 to 1.
        mark: Square in the picture that `Place` positions. It is the face if `is_face`.
        is_face: Whether the mark is a face.
        path: Keyframes in the order of time.
    """

    picture: Grey
    mask: NDArray[np.float32]
    mark: Box
    is_face: bool
    path: tuple[Place, ...]


class Scene:
    """A scene with seeded noise: a frame number always gives the same picture and the same boxes."""

    def __init__(
        self,
        background: Grey,
        actors: Sequence[Actor],
        seconds: float,
        light: Sequence[tuple[float, float]] = ((0.0, 1.0),),
    ) -> None:
        """Draw the noise from the fixed seed.

        Args:
            background: uint8 (480, 640).
            actors: Painted in this order.
            seconds: Length of the scene.
            light: Brightness of the room, as (t, level) in the order of time.
        """
        self.frames = round(seconds * FPS)
        self._background = background
        self._actors = actors
        self._light_t, self._light_level = zip(*light, strict=True)
        random = np.random.default_rng(_SEED)
        self._noise = [random.normal(0, _NOISE, (HEIGHT, WIDTH)).astype(np.float32) for _ in range(4)]

    def picture(self, number: int) -> tuple[Grey, tuple[Box, ...]]:
        """Return frame `number`, uint8 (480, 640), and the boxes of the faces that lie wholly inside it."""
        t = number / FPS
        frame = self._background.astype(np.float32)
        boxes = []
        for actor in self._actors:
            place = _at(actor.path, t)
            if place is None:
                continue
            _paint(frame, actor, place)
            left, top = round(place.x - place.size / 2), round(place.y - place.size / 2)
            side = round(place.size)
            if actor.is_face and left >= 0 and top >= 0 and left + side <= WIDTH and top + side <= HEIGHT:
                boxes.append((left, top, side, side))
        frame *= np.interp(t, self._light_t, self._light_level)
        noise = self._noise[number % len(self._noise)]
        frame += np.roll(noise, (37 * number % HEIGHT, 91 * number % WIDTH), (0, 1))
        return np.clip(frame, 0, 255).astype(np.uint8), tuple(boxes)


@dataclass(frozen=True, slots=True)
class Model:
    """A person or an object in a photograph.

    Attributes:
        file: Name of the photograph.
        mark: Box of the face, or of the object.
        reach: Side of the cut-out, in sides of the mark.
    """

    file: str
    mark: Box
    reach: float

    def actor(self, path: tuple[Place, ...], *, is_face: bool = True) -> Actor:
        """Return an actor that follows a path."""
        return Actor(*_cut_out(photograph(self.file), self.mark, self.reach), is_face=is_face, path=path)


COLLINS: Final = Model("astronaut.png", (176, 66, 98, 98), reach=2.1)
HOPPER: Final = Model("grace_hopper.jpg", (152, 104, 222, 222), reach=2.0)
CUP: Final = Model("coffee.png", (190, 60, 230, 230), reach=1.6)


class SceneSource:
    """A scene as a source of frames."""

    name = "demo"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._number = 0

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame, None after the last one."""
        if self._number >= self._scene.frames:
            return None
        grey, _ = self._scene.picture(self._number)
        t = self._number / FPS
        self._number += 1
        return Frame(grey, t, time.monotonic_ns())

    def close(self) -> None:
        """Nothing is open."""


def demo_scene() -> Scene:
    """Return the scene of `cuelens demo`.

    In order: an empty room; a smiling woman who comes, moves nearer, tilts her head and leaves; a cup of coffee that
    passes where her face was; a second woman, while the room is dimmed; an empty room.
    """
    gravel = photograph("gravel.png")
    background = cv2.GaussianBlur(cv2.resize(gravel, (WIDTH, WIDTH))[:HEIGHT], (0, 0), 2.0) // 2 + 60
    smiling = COLLINS.actor(
        (
            Place(2.0, -130, 200, 80),
            Place(3.2, 200, 210, 84),
            Place(5.0, 330, 230, 120, -6),
            Place(6.5, 370, 220, 120, 7),
            Place(8.5, 300, 230, 104),
            Place(9.7, 790, 210, 90),
        )
    )
    cup = CUP.actor(
        (Place(10.5, -120, 260, 110), Place(12.5, 330, 240, 130, 10), Place(14.5, 770, 230, 110)), is_face=False
    )
    serious = HOPPER.actor(
        (
            Place(15.0, 780, 220, 90),
            Place(16.2, 420, 220, 96),
            Place(18.5, 310, 240, 120, 4),
            Place(21.0, 280, 230, 112, -5),
            Place(22.5, 340, 220, 100),
            Place(23.7, -140, 210, 90),
        )
    )
    return Scene(background.astype(np.uint8), (smiling, cup, serious), 26.0, _DIMMED)


def photograph(file: str) -> Grey:
    """Return a photograph that ships with cuelens, grey, uint8 (height, width)."""
    return np.asarray(cv2.imread(str(PHOTOGRAPHS / file), cv2.IMREAD_GRAYSCALE), dtype=np.uint8)


def _cut_out(photograph: Grey, mark: Box, reach: float) -> tuple[Grey, NDArray[np.float32], Box]:
    """Cut out an ellipse, `reach` marks wide, with a soft edge. Scale it until the mark is 120 pixels wide."""
    x, y, side, _ = mark
    around = round(side * (reach - 1) / 2)
    left, top = max(x - around, 0), max(y - around, 0)
    cut = photograph[top : y + side + round(1.4 * around), left : x + side + around]
    scale = 120 / side
    picture = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    mask = np.zeros(picture.shape, np.float32)
    height, width = picture.shape
    centre = (round((x - left + side / 2) * scale), height // 2)
    cv2.ellipse(mask, centre, (min(centre[0], width - centre[0]) - 6, height // 2 - 6), 0, 0, 360, 1.0, -1)
    mask = np.asarray(cv2.GaussianBlur(mask, (0, 0), 3.0), dtype=np.float32)
    return np.asarray(picture, dtype=np.uint8), mask, (round((x - left) * scale), round((y - top) * scale), 120, 120)


def _at(path: tuple[Place, ...], t: float) -> Place | None:
    if not path[0].t <= t < path[-1].t:
        return None
    times = [place.t for place in path]
    x, y, size, turn = (
        float(np.interp(t, times, values))
        for values in zip(*((place.x, place.y, place.size, place.turn) for place in path), strict=True)
    )
    # A small sway: no person stands quite still.
    return Place(t, x + 2 * math.sin(5 * t), y + 2 * math.cos(4 * t), size, turn)


def _paint(frame: NDArray[np.float32], actor: Actor, place: Place) -> None:
    """Blend an actor into the frame, its mark centred on the place."""
    x, y, side, _ = actor.mark
    middle = (x + side / 2, y + side / 2)
    matrix = cv2.getRotationMatrix2D(middle, place.turn, place.size / side)
    matrix[0, 2] += place.x - middle[0]
    matrix[1, 2] += place.y - middle[1]
    picture = cv2.warpAffine(actor.picture, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    mask = cv2.warpAffine(actor.mask, matrix, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    frame += mask * (picture - frame)
