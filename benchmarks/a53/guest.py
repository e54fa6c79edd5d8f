"""What runs on the emulated board: beats over recorded frames, each stage marked for the counter.

    guest.py FRAMES.npy

A mark is a system call that fails; counter.c sees it. Two in a row at the beginning tell what a mark costs by itself.
"""

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np

from cuelens.adapters.haar import HaarDetector
from cuelens.frame import Frame
from cuelens.runtime.build import assemble
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.file import SHIPPED, load
from cuelens_models.bundle.interpreter import Interpreter

FIRST_MARK = 424240
MARK, BEAT, CASCADE, INVOKE, END = 0, 1, 2, 3, 9


def mark(number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.getpgid(FIRST_MARK + number)


def marked(call: Callable[..., Any], number: int) -> Callable[..., Any]:
    """Return the call with a mark before it and an END after it."""

    def wrapped(*given: Any) -> Any:
        mark(number)
        answer = call(*given)
        mark(END)
        return answer

    return wrapped


def main() -> None:
    recorded = np.load(sys.argv[1], mmap_mode="r")
    cv2.setNumThreads(1)
    bundle = load(SHIPPED)
    detector, interpreter, watch = HaarDetector(), Interpreter(bundle, 1), StageTimes()
    for name in ("detect", "hits"):
        setattr(detector, name, marked(getattr(detector, name), CASCADE))
    interpreter.invoke = marked(interpreter.invoke, INVOKE)  # type: ignore[method-assign]
    beats = assemble(detector, interpreter, watch)
    mark(MARK)
    mark(MARK)
    buffer = np.empty(recorded.shape[1:], np.uint8)
    for number, picture in enumerate(recorded):
        mark(BEAT)
        # The one copy out of camera memory.
        np.copyto(buffer, picture)
        beats.process(Frame(buffer, number / 15, 0))
        mark(END)


if __name__ == "__main__":
    main()
