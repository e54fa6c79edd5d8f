"""Composites: what the glasses' camera may see, shrunken by four, with known places of faces.

Heads stand before photographs without people and before drawn patterns, in all sizes and tilts, dark and bright,
sometimes cut at an edge. Heads without a face and faces that are upside down stand there too, and are none.
"""

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.pixels import Grey
from cuelens_models.data.pasted_heads import Floats, Head, HeadShop

WIDTH, HEIGHT = 160, 120
_SMALLEST, _LARGEST = 9.0, 86.0
_EMPTY: Final = 0.25
"""Share of pictures without a face."""
_STRANGE: Final = 0.3
"""Share of pictures with heads that show no face, or one that is upside down."""
_OUTSIDE: Final = 0.06
"""Part of a side beyond the edge from which on a face is neither learned nor counted."""


class Place(NamedTuple):
    """A face in a composite.

    Attributes:
        x: centre, in pixels.
        y: centre, in pixels.
        side: of its box, in pixels.
        tilt: in degrees, counter-clockwise.
        partial: it is cut by an edge, or hidden in part.
    """

    x: float
    y: float
    side: float
    tilt: float
    partial: bool


def composite(shop: HeadShop, photographs: Sequence[Grey], random: np.random.Generator) -> tuple[Grey, list[Place]]:
    """Return a picture, uint8 (120, 160), and the faces in it.

    Args:
        shop: gives heads.
        photographs: without people, of any size.
        random: source of chance.
    """
    picture = _background(photographs, random)
    places: list[Place] = []
    if random.random() < _STRANGE:
        for _ in range(random.integers(1, 3)):
            _add_strange(picture, shop, random)
    count = 0 if random.random() < _EMPTY else 1 + min(int(random.exponential(0.8)), 4)
    for _ in range(count):
        side = _size(_SMALLEST, 40.0 if count > 2 else _LARGEST, random)
        x, y = _position(side, random)
        if any(math.hypot(x - other.x, y - other.y) < 0.8 * max(side, other.side) for other in places):
            continue
        tilt = float(random.normal(0, 9) if random.random() < 0.6 else random.uniform(-35, 35))
        mask = _paste(picture, shop.head(random), side, (x, y), tilt, random)
        places = [place._replace(partial=place.partial or _hides(mask, place)) for place in places]
        outside = max(side / 2 - x, x + side / 2 - WIDTH, side / 2 - y, y + side / 2 - HEIGHT, 0) / side
        places.append(Place(x, y, side, tilt, outside > _OUTSIDE))
    return _exposed(picture, random), places


def _size(smallest: float, largest: float, random: np.random.Generator) -> float:
    return math.exp(random.uniform(math.log(smallest), math.log(largest)))


def _position(side: float, random: np.random.Generator) -> tuple[float, float]:
    """Return the centre of a face: mostly wholly inside."""
    if random.random() < 0.85:
        right, down = random.uniform(-1, 1, 2)
        return WIDTH / 2 + right * (WIDTH - side) / 2, HEIGHT / 2 + down * (HEIGHT - side) / 2
    return random.uniform(-0.3 * side, WIDTH + 0.3 * side), random.uniform(-0.3 * side, HEIGHT + 0.3 * side)


def _hides(mask: Floats, place: Place) -> bool:
    """Whether a head that was pasted hides a part of a face."""
    return any(
        mask[
            int(np.clip(place.y + down * place.side, 0, HEIGHT - 1)),
            int(np.clip(place.x + right * place.side, 0, WIDTH - 1)),
        ]
        > 0.5
        for right in (-0.3, 0, 0.3)
        for down in (-0.3, 0, 0.3)
    )


def _add_strange(picture: Floats, shop: HeadShop, random: np.random.Generator) -> None:
    """Paste a head without a face, or one that lies or stands on its head."""
    faceless = random.random() < 0.6
    tilt = random.normal(0, 10) if faceless else random.choice((90, 180, 270)) + random.uniform(-30, 30)
    centre = random.uniform(0, WIDTH), random.uniform(0, HEIGHT)
    _paste(picture, shop.drawn(random, faceless=faceless), _size(9, 70, random), centre, float(tilt), random)


def _paste(
    picture: Floats, head: Head, side: float, centre: tuple[float, float], tilt: float, random: np.random.Generator
) -> Floats:
    """Paste a head in a light of its own. Returns the mask of where it is."""
    levels, mask, (x, y, own) = head
    if random.random() < 0.5:
        levels, mask, x = np.ascontiguousarray(levels[:, ::-1]), np.ascontiguousarray(mask[:, ::-1]), len(mask[0]) - x
    while side / own < 0.5:
        levels, mask = (
            np.asarray(cv2.resize(layer, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32)
            for layer in (levels, mask)
        )
        x, y, own = x / 2, y / 2, own / 2
    turn = cv2.getRotationMatrix2D((x, y), tilt, side / own)
    turn[:, 2] += np.subtract(centre, (x, y))
    levels = np.asarray(
        cv2.warpAffine(levels, turn, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.float32,
    )
    mask = np.asarray(cv2.warpAffine(mask, turn, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR), np.float32)
    levels = levels * np.float32(random.uniform(0.55, 1.25)) + np.float32(random.uniform(-25, 25))
    if random.random() < 0.35:
        angle, strength = random.uniform(0, 2 * math.pi), random.uniform(0.1, 0.6)
        across, below = np.meshgrid(np.arange(WIDTH) - centre[0], np.arange(HEIGHT) - centre[1])
        shade = 1 + strength * (across * math.cos(angle) + below * math.sin(angle)) / side
        levels *= np.clip(shade, 0.3, 1.6).astype(np.float32)
    picture += mask * (np.clip(levels, 0, 255) - picture)
    return mask


def _background(photographs: Sequence[Grey], random: np.random.Generator) -> Floats:
    """Return a photograph or a pattern, sometimes with others in front of it."""
    picture = _pattern(random) if random.random() < 0.12 else _view(photographs, WIDTH, HEIGHT, random)
    if random.random() < 0.3:
        for _ in range(random.integers(1, 6)):
            width, height = (int(length) for length in random.integers(10, 90, 2))
            x, y = int(random.integers(-10, WIDTH - 10)), int(random.integers(-10, HEIGHT - 10))
            patch = (
                _view(photographs, width, height, random)
                if random.random() < 0.7
                else np.full((height, width), random.uniform(20, 235), np.float32)
            )
            left, top = max(x, 0), max(y, 0)
            part = picture[top : y + height, left : x + width]
            part[:] = patch[top - y : top - y + part.shape[0], left - x : left - x + part.shape[1]]
    if random.random() < 0.3:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), random.uniform(0.4, 2)), np.float32)
    return picture


def _view(photographs: Sequence[Grey], width: int, height: int, random: np.random.Generator) -> Floats:
    """Return a part of a photograph, turned, scaled, in another contrast."""
    picture = photographs[int(random.integers(len(photographs)))]
    scale = max(width / picture.shape[1], height / picture.shape[0]) * math.exp(random.uniform(0, 1.6))
    while scale < 0.5:
        picture = np.asarray(cv2.resize(picture, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.uint8)
        scale *= 2
    middle = random.uniform(0.15, 0.85) * picture.shape[1], random.uniform(0.15, 0.85) * picture.shape[0]
    quarter = 90 * int(random.integers(4)) if random.random() < 0.2 else 0
    turn = cv2.getRotationMatrix2D(middle, random.uniform(-20, 20) + quarter, scale)
    turn[:, 2] += np.subtract((width / 2, height / 2), middle)
    flags, border = cv2.INTER_LINEAR, cv2.BORDER_REFLECT_101
    view = cv2.warpAffine(picture, turn, (width, height), flags=flags, borderMode=border).astype(np.float32)
    if random.random() < 0.1:
        view = 255 - view
    level = (view - view.mean() * random.uniform(0.5, 1)) * random.uniform(0.4, 1.3) + random.uniform(60, 180)
    return np.ascontiguousarray(level[:, :: -1 if random.random() < 0.3 else 1], np.float32)


def _pattern(random: np.random.Generator) -> Floats:
    """Return grains, discs, boxes, stripes or a ramp."""
    kind = random.integers(5)
    picture = np.full((HEIGHT, WIDTH), random.uniform(40, 210), np.float32)
    across, below = np.meshgrid(np.linspace(-1, 1, WIDTH), np.linspace(-1, 1, HEIGHT))
    if kind == 0:
        for grain in (2, 4, 8, 16, 32):
            cells = random.normal(0, 1, (max(HEIGHT // grain, 2), max(WIDTH // grain, 2))).astype(np.float32)
            grown = cv2.resize(cells, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
            picture += np.float32(random.uniform(2, 25)) * grown
    elif kind in (1, 2):
        for _ in range(random.integers(10, 100)):
            x, y = int(random.integers(-10, WIDTH)), int(random.integers(-10, HEIGHT))
            width, height = (int(length) for length in random.integers(1, 40, 2))
            level, line = random.uniform(10, 245), -1 if random.random() < 0.7 else 1
            if kind == 1:
                cv2.ellipse(picture, (x, y), (width // 2 + 1, height // 2 + 1), 0, 0, 360, level, line)
            else:
                cv2.rectangle(picture, (x, y), (x + width, y + height), level, line)
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), random.uniform(0.4, 1.5)), np.float32)
    elif kind == 3:
        for _ in range(2):
            right, down = random.uniform(-120, 120, 2)
            picture += (random.uniform(5, 50) * np.sin(right * across + down * below)).astype(np.float32)
    else:
        right, down = random.uniform(-60, 60, 2)
        picture += (right * across + down * below).astype(np.float32)
    return picture


def _exposed(picture: Floats, random: np.random.Generator) -> Grey:
    """Return what a camera makes of it: exposure, blur, motion and noise."""
    if random.random() < 0.7:
        picture = picture * np.float32(random.uniform(0.35, 1.1))
    if random.random() < 0.2:
        picture = np.asarray(255 * np.clip(picture / 255, 0, 1) ** random.uniform(0.6, 1.6), np.float32)
    if random.random() < 0.35:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), random.uniform(0.3, 0.9)), np.float32)
    if random.random() < 0.2:
        picture = np.asarray(cv2.filter2D(picture, -1, _smear(random)), np.float32)
    noisy = picture + random.normal(0, random.uniform(0.5, 3), picture.shape)
    return np.asarray(np.clip(noisy, 0, 255), np.uint8)


def _smear(random: np.random.Generator) -> NDArray[np.float32]:
    """Return the kernel of a motion of two to five pixels."""
    side, angle = int(random.integers(2, 6)), random.uniform(0, math.pi)
    middle, right, down = (side - 1) / 2, (side - 1) / 2 * math.cos(angle), (side - 1) / 2 * math.sin(angle)
    kernel = np.zeros((side, side), np.float32)
    ends = ((middle - right, middle - down), (middle + right, middle + down))
    first, last = ((round(x), round(y)) for x, y in ends)
    cv2.line(kernel, first, last, 1.0)
    return np.asarray(kernel / kernel.sum(), np.float32)
