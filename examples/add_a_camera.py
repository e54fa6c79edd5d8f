"""A camera of one's own, which looks from left to right over a photograph, before the pipeline of the glasses."""

import argparse
import time
from contextlib import closing
from pathlib import Path

from cuelens.adapters.demo_scene import PHOTOGRAPHS
from cuelens.adapters.haar import HaarDetector
from cuelens.adapters.still import decode
from cuelens.frame import Frame
from cuelens.profile import wording
from cuelens.runtime.build import assemble
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.file import SHIPPED, load
from cuelens_models.bundle.interpreter import Interpreter


class SlowPan:
    """A `cuelens.ports.FrameSource`: six seconds of a window that moves by a pixel a frame."""

    name = "slow pan"

    def __init__(self, photograph: Path) -> None:
        self._grey = decode(photograph)
        self._number = 0

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame, None after the last one."""
        if self._number == 90:
            return None
        self._number += 1
        return Frame(self._grey[:, self._number : self._number - 91].copy(), self._number / 15, time.monotonic_ns())

    def close(self) -> None:
        """Nothing is open."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("photograph", nargs="?", type=Path, default=PHOTOGRAPHS / "astronaut.png")
    beats = assemble(HaarDetector(), Interpreter(load(SHIPPED)), StageTimes())
    with closing(SlowPan(options.parse_args().photograph)) as camera:
        while frame := camera.read(timeout_s=1.0):
            if cue := beats.process(frame).cue:
                print(f"{cue.t:.2f} s  {wording.looks(cue.word)}, by {', '.join(cue.outputs)}")


if __name__ == "__main__":
    main()
