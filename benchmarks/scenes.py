"""Seeded scenes for the benchmarks: photographs of faces move, scale and tilt in front of real textures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import cv2
import numpy as np
import skimage

from cuelens.adapters.demo_scene import COLLINS, HEIGHT, HOPPER, WIDTH, Actor, Place, Scene
from cuelens.frame import Grey

TEXTURES: Final = (
    *("brick.png", "cell.png", "chelsea.png", "coffee.png", "coins.png", "grass.png", "gravel.png"),
    *("hubble_deep_field.jpg", "ihc.png", "microaneurysms.png", "moon.png", "motorcycle_left.png", "page.png"),
    *("retina.jpg", "rocket.jpg", "text.png"),
)
"""Pictures of scikit-image without people: a cat, a cup of coffee, bricks, a text and others."""


class Person(Protocol):
    """Somebody who can walk through a scene."""

    def actor(self, path: tuple[Place, ...]) -> Actor:
        """Return an actor that follows a path."""


PEOPLE: Final = (COLLINS, HOPPER)
SMALLEST: Final = 44
LARGEST: Final = 220
"""Limits of face sides in pixels of the frame: from 1.8 to 0.36 metres away with the usual lens."""


def view(name: str, random: np.random.Generator, width: int = WIDTH, height: int = HEIGHT) -> Grey:
    """Return a background, uint8 (height, width): a picture enlarged, slightly turned, in random contrast.

    Args:
        name: of a picture of scikit-image.
        random: source of chance.
        width: in pixels.
        height: in pixels.
    """
    picture = np.asarray(cv2.imread(str(Path(skimage.data_dir, name)), cv2.IMREAD_GRAYSCALE), np.uint8)
    scale = max(width / picture.shape[1], height / picture.shape[0]) * float(np.exp(random.uniform(0.1, 0.5)))
    centre = (random.uniform(0.3, 0.7) * picture.shape[1], random.uniform(0.3, 0.7) * picture.shape[0])
    turn = cv2.getRotationMatrix2D(centre, random.uniform(-15, 15), scale)
    turn[:, 2] += np.subtract((width / 2, height / 2), centre)
    wall = cv2.warpAffine(picture, turn, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
    level = (wall.astype(np.float32) - 128) * random.uniform(0.4, 1.0) + random.uniform(90, 160)
    return np.asarray(np.clip(level, 0, 255), np.uint8)


def visit(random: np.random.Generator, begin_s: float, seconds: float, lean: float = 12) -> tuple[Place, ...]:
    """Return the path of a person who enters from a side, moves about, nearer and farther, and leaves.

    Args:
        random: source of chance.
        begin_s: time of entry.
        seconds: length of the visit.
        lean: degrees by which the head leans at most, to either side.
    """
    side = 1 if random.random() < 0.5 else -1
    size = float(np.exp(random.uniform(np.log(SMALLEST), np.log(LARGEST))))
    middle = (WIDTH / 2, HEIGHT / 2)

    def place(t: float, x: float, near: float) -> Place:
        held = float(np.clip(near, SMALLEST, LARGEST))
        room = (WIDTH - held) / 2 - 8, (HEIGHT - held) / 2 - 8
        y = middle[1] + float(random.uniform(-0.8, 0.8)) * room[1]
        inside = middle[0] + float(np.clip(x, -1, 1)) * room[0]
        return Place(t, inside if abs(x) <= 1 else middle[0] + x * WIDTH, y, held, lean * float(random.uniform(-1, 1)))

    places = [place(begin_s, side * 1.1, size)]
    t = begin_s + 1.2
    while t < begin_s + seconds - 1.2:
        places.append(place(t, random.uniform(-0.9, 0.9), size * float(np.exp(random.uniform(-0.35, 0.35)))))
        # In a conversation a head crosses half the picture in a second at most.
        t += float(random.uniform(1.0, 2.5))
    return (*places, place(begin_s + seconds, -side * 1.1, size))


def visits(seed: int, count: int = 3, people: Sequence[Person] = PEOPLE, lean: float = 12) -> Scene:
    """Return a scene in which people come one after another, each for ten seconds, with pauses between.

    Args:
        seed: the same seed gives the same scene.
        count: number of visits.
        people: to draw visitors from.
        lean: degrees by which their heads lean at most.
    """
    random = np.random.default_rng(seed)
    actors = []
    t = 0.0
    for _ in range(count):
        t += float(random.uniform(1.0, 2.5))
        actors.append(people[random.integers(len(people))].actor(visit(random, t, 10.0, lean)))
        t += 10.0
    light = float(random.uniform(0.5, 1.0))
    wall = view(TEXTURES[random.integers(len(TEXTURES))], random)
    return Scene(wall, actors, t + 0.5, ((0.0, light),))


def crossing(seed: int) -> Scene:
    """Return a scene of six seconds in which two people walk past each other, one in front of the other."""
    random = np.random.default_rng(seed)
    sizes = random.uniform(70, 150) * np.exp(random.uniform(-0.2, 0.2, 2))
    heights = HEIGHT / 2 + random.uniform(-40, 40) + random.uniform(-30, 30, 2)
    order = random.permutation(2)
    actors = []
    for who in order:
        side = 1 if who else -1
        first, meeting = (WIDTH / 2 - side * WIDTH * part for part in (0.32, 0.03))
        size, y = float(sizes[who]), float(heights[who])
        pause = float(random.uniform(1.0, 2.0))
        walk = (
            Place(0.0, first, y, size),
            Place(pause, first, y, size),
            Place(3.0, meeting, y, size),
            Place(5.0, WIDTH - first, y, size),
            Place(6.0, WIDTH - first, y, size),
        )
        actors.append((int(who), PEOPLE[who].actor(walk)))
    wall = view(TEXTURES[random.integers(len(TEXTURES))], random)
    return Scene(wall, [actor for _, actor in actors], 6.0)


def standing(faces: int, seconds: float, seed: int = 0) -> Scene:
    """Return a scene of people who stand in one row or two and sway, in front of bricks.

    Args:
        faces: number of people.
        seconds: length of the scene.
        seed: the same seed gives the same scene.
    """
    random = np.random.default_rng(seed)
    columns = min(faces, 4)
    rows = -(-faces // columns)
    size = min(110.0, 0.48 * min(WIDTH / columns, HEIGHT / rows))
    actors = []
    for n in range(faces):
        x, y = WIDTH * (n % columns + 0.5) / columns, HEIGHT * (n // columns + 0.5) / rows
        path = tuple(
            Place(t, x + random.uniform(-8, 8), y + random.uniform(-8, 8), size * float(random.uniform(0.95, 1.1)))
            for t in np.arange(0.0, seconds + 1.5, 1.0)
        )
        actors.append(PEOPLE[n % len(PEOPLE)].actor(path))
    return Scene(view("brick.png", random), actors, seconds)


def empty(name: str, seed: int, seconds: float) -> Scene:
    """Return a scene without people: a picture that drifts, scales and turns.

    Args:
        name: of a picture of scikit-image.
        seed: the same seed gives the same scene.
        seconds: length of the scene.
    """
    random = np.random.default_rng(seed)
    side = 2 * WIDTH
    picture = view(name, random, side, side)
    whole = Actor(picture, np.ones(picture.shape, np.float32), (0, 0, side, side), False, _drift(random, seconds))
    return Scene(np.full((HEIGHT, WIDTH), 128, np.uint8), [whole], seconds)


def _drift(random: np.random.Generator, seconds: float) -> tuple[Place, ...]:
    places = []
    for t in np.arange(0.0, seconds + 2.5, 2.0):
        size = 2 * WIDTH * float(random.uniform(0.6, 1.2))
        x, y = WIDTH / 2 + random.uniform(-0.3, 0.3) * size, HEIGHT / 2 + random.uniform(-0.3, 0.3) * size
        places.append(Place(float(t), float(x), float(y), size, float(random.uniform(-10, 10))))
    return tuple(places)
