"""A camera of one's own, which looks from left to right over a photograph, before the pipeline of the glasses."""

import argparse
import time
from pathlib import Path

import skimage

from cuelens.adapters.haar import HaarDetector
from cuelens.adapters.still import decode
from cuelens.frame import Frame
from cuelens.profile import wording
from cuelens.runtime.build import assemble
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.file import SHIPPED, load
from cuelens_models.bundle.interpreter import Interpreter


class SlowPan:
    """A `cuelens.ports.FrameSource`: four seconds of a window that moves by a pixel a frame."""

    name = "slow pan"

    def __init__(self, photograph: Path) -> None:
        self._grey = decode(photograph)
        self._number = 0

    def read(self, timeout_s: float) -> Frame | None:
        """Return the next frame, None after the last one."""
        if self._number == 60:
            return None
        self._number += 1
        return Frame(self._grey[:, self._number : self._number - 61].copy(), self._number / 15, time.monotonic_ns())

    def close(self) -> None:
        """Nothing is open."""


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("photograph", nargs="?", type=Path, default=Path(skimage.data_dir, "astronaut.png"))
    camera = SlowPan(options.parse_args().photograph)
    beats = assemble(HaarDetector(), Interpreter(load(SHIPPED)), StageTimes())
    while frame := camera.read(timeout_s=1.0):
        decision = beats.process(frame)
        if decision.cue:
            print(f"{decision.t:.2f} s  {wording.looks(decision.cue.word)} ({', '.join(decision.cue.outputs)})")
    camera.close()


if __name__ == "__main__":
    main()
