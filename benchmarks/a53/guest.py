"""The program on the emulated board: beats over recorded frames, with marks around each stage for the counter.

    guest.py FRAMES.npy

A mark is a failing system call, which counter.c sees. Two marks in a row at the beginning give the cost of a mark.
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


def with_marks(call: Callable[..., Any], number: int) -> Callable[..., Any]:
    """Return the call with a mark before it and an END after it."""

    def wrapper(*arguments: Any) -> Any:
        mark(number)
        answer = call(*arguments)
        mark(END)
        return answer

    return wrapper


def main() -> None:
    recorded = np.load(sys.argv[1], mmap_mode="r")
    cv2.setNumThreads(1)
    bundle = load(SHIPPED)
    detector, interpreter, watch = HaarDetector(), Interpreter(bundle, 1), StageTimes()
    for name in ("faces", "hits", "candidates"):
        setattr(detector, name, with_marks(getattr(detector, name), CASCADE))
    interpreter.invoke = with_marks(interpreter.invoke, INVOKE)  # type: ignore[method-assign]
    beats = assemble(detector, interpreter, watch)
    mark(MARK)
    mark(MARK)
    buffer = np.empty(recorded.shape[1:], np.uint8)
    for number, picture in enumerate(recorded):
        mark(BEAT)
        # Stands for the one copy out of camera memory.
        np.copyto(buffer, picture)
        beats.process(Frame(buffer, number / 15, 0))
        mark(END)


if __name__ == "__main__":
    main()
