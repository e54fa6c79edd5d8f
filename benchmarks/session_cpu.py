"""Processor time of a session: a minute that stands for its twenty, with a face in view for half of the time.

    taskset -c 0 python benchmarks/session_cpu.py [--seconds 60] [--seed 90000] [--rounds 3]

Six times somebody comes for five seconds, and for five nobody is there. The wearer's head is still for half of each,
and moves in the other half: then the whole picture shifts and turns, and nothing in it stands still. Beats come fifteen
times a second. Counted is the processor time of beats, from a frame to its decision; the scene is drawn beside them.
The figure is the least of some rounds.
"""

import argparse
import math
import time
from collections.abc import Iterator
from typing import Final

import cv2
import numpy as np
import scenes

from cuelens.adapters.demo_scene import FPS, HEIGHT, WIDTH, Place, Scene
from cuelens.adapters.haar import HaarDetector
from cuelens.frame import Frame, Grey
from cuelens.runtime.build import assemble
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.file import SHIPPED, load
from cuelens_models.bundle.interpreter import Interpreter

VISIT_S: Final = 5.0
HEAD: Final = (24.0, 14.0, 3.0)
"""How far the wearer's head moves the picture: pixels right and down, and degrees."""


def minute(seed: int, seconds: float) -> Iterator[Grey]:
    """Yield the frames of a scene, uint8 (480, 640)."""
    random = np.random.default_rng(seed)
    actors, t = [], 0.0
    while t < seconds:
        path = scenes.visit(random, t + VISIT_S, VISIT_S)
        actors.append(scenes.PEOPLE[random.integers(len(scenes.PEOPLE))].actor(_arrived(path)))
        t += 2 * VISIT_S
    wall = scenes.view(scenes.TEXTURES[random.integers(len(scenes.TEXTURES))], random)
    scene = Scene(wall, actors, seconds)
    for number in range(scene.frames):
        yield _moved(scene.picture(number)[0], number / FPS)


def _arrived(path: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return the path of somebody who is in view for the whole visit, without the ways in and out."""
    first, *between, last = path
    inside = between or [Place(first.t, WIDTH / 2, HEIGHT / 2, first.size)]
    begin, end = inside[0], inside[-1]
    return (
        Place(first.t, begin.x, begin.y, begin.size, begin.turn),
        *(place for place in inside if first.t < place.t < last.t),
        Place(last.t, end.x, end.y, end.size, end.turn),
    )


def _moved(picture: Grey, t: float) -> Grey:
    """Return the picture as a head that moves sees it, in the second half of every `VISIT_S`."""
    since = t % VISIT_S - VISIT_S / 2
    if since < 0:
        return picture
    swing = math.sin(2 * math.pi * since / (VISIT_S / 2)), math.sin(4 * math.pi * since / (VISIT_S / 2))
    turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), HEAD[2] * swing[0], 1)
    turn[:, 2] += HEAD[0] * swing[0], HEAD[1] * swing[1]
    moved = cv2.warpAffine(picture, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REFLECT_101)
    return np.asarray(moved, np.uint8)


def beats_s(seed: int, seconds: float) -> list[tuple[float, float, bool]]:
    """Return of each beat its frame's time, its processor time in seconds, and whether a face was followed."""
    beats = assemble(HaarDetector(), Interpreter(load(SHIPPED)), StageTimes())
    took = []
    for number, picture in enumerate(minute(seed, seconds)):
        began = time.thread_time_ns()
        decision = beats.process(Frame(picture, number / FPS, 0))
        took.append((number / FPS, (time.thread_time_ns() - began) / 1e9, bool(decision.faces)))
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=90_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    rounds = [beats_s(options.seed, options.seconds) for _ in range(options.rounds)]
    least = np.min([[beat[1] for beat in one] for one in rounds], axis=0)
    followed = np.array([beat[2] for beat in rounds[0]])
    still = np.array([beat[0] % VISIT_S < VISIT_S / 2 for beat in rounds[0]])
    print(f"a session: {60 * least.sum() / options.seconds:.2f} s of processor time a minute", end="")
    print(f" ({len(least)} beats, a face followed in {followed.mean():.0%})")
    for name, some in {"the wearer's head is still": still, "it moves": ~still}.items():
        for what, chosen in {"a face is followed": followed & some, "none is": ~followed & some}.items():
            if chosen.any():
                print(f"  {name}, {what}: mean beat {1e3 * least[chosen].mean():.2f} ms")


if __name__ == "__main__":
    main()
