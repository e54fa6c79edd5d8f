"""What the policy costs a beat: settling, a mode and the limits, with one to eight faces in view.

    taskset -c 0 python benchmarks/policy.py [--beats N]

Faces whose readings change every second or so, from the readings of held-out faces that false cues are counted on; the
button is pressed once in a hundred beats. A thousand beats are run first and not counted. Times are processor time.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
from streams import RATE, pool

from cuelens.cues.modes import modes
from cuelens.profile.profile import Profile, Sound
from cuelens.runtime.build import policy_of
from cuelens.types import Face
from cuelens_models.bundle.file import SHIPPED, load

_WARM_UP = 1000


def shown(faces: int) -> Iterator[list[tuple[float, ...]]]:
    """Yield what is read of each face in a beat, without end. Each face changes about once a second."""
    random = np.random.default_rng(faces)
    every = [tuple(row) for row in pool("held_out").scores.tolist()]
    readings = [every[0]] * faces
    while True:
        changed = random.random(faces) < 1 / RATE
        readings = [
            every[random.integers(len(every))] if new else old for old, new in zip(readings, changed, strict=True)
        ]
        yield readings


def beats_ms(mode: str, faces: int, count: int) -> Sequence[float]:
    """Return what each beat cost, in milliseconds of processor time."""
    policy = policy_of(Profile(mode=mode, sound=Sound(on=True)), load(SHIPPED).contract, ["light", "voice"])
    seen = [Face(track, (80 * track, 100, 60 + track, 60 + track)) for track in range(faces)]
    spent = []
    for beat, readings in enumerate(islice(shown(faces), _WARM_UP + count)):
        t = beat / RATE
        began_ns = time.thread_time_ns()
        policy.step(t, seen, dict(enumerate(readings)), width=640, press=beat % 100 == 0)
        spent.append((time.thread_time_ns() - began_ns) / 1e6)
    return spent[_WARM_UP:]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--beats", type=int, default=10_000)
    given = parser.parse_args()
    for faces in (1, 2, 4, 8):
        spent = beats_ms("companion", faces, given.beats)
        p50, p95 = np.percentile(spent, [50, 95])
        print(
            f"{faces} face{'s' * (faces > 1)}: mean {np.mean(spent):.3f} ms, p50 {p50:.3f} ms, p95 {p95:.3f} ms a beat"
        )
    for mode in modes():
        print(f"{mode}, four faces: mean {np.mean(beats_ms(mode, 4, given.beats)):.3f} ms a beat")


if __name__ == "__main__":
    main()
