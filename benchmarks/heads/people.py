"""People are drawn and judged one by one, each wholly in one process; figures are means over people."""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle.file import load
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.progress import display

T = TypeVar("T")
DRAWS: Final = 4000


def over_people(what: str, one: Callable[[int], T], people: int, jobs: int) -> list[T]:
    """Return what a function makes of each person, in the order of their numbers, and show how far it is.

    Args:
        what: shown beside the progress.
        one: takes the number of a person. It must be picklable.
        people: how many.
        jobs: processes.
    """
    # The software renderer would use all processors in each process.
    os.environ.setdefault("LP_NUM_THREADS", "1")
    results: list[T] = []
    with ProcessPoolExecutor(jobs) as pool, display(sys.stderr) as steps:
        steps.stage(what, people)
        for result in pool.map(one, range(people)):
            results.append(result)
            steps.advance()
            if not sys.stderr.isatty() and len(results) % max(people // 10, 1) == 0:
                steps.line(f"{what}: {len(results)} of {people} people")
    return results


@lru_cache(maxsize=1)
def interpreter_of(bundle: Path) -> Interpreter:
    """Return the interpreter of a bundle: a process reads the file once, so nobody can replace it half-way."""
    return Interpreter(load(bundle))


def interval(
    people: NDArray[np.float64], figure: Callable[[NDArray[np.float64]], float], draws: int = DRAWS
) -> tuple[float, float, float]:
    """Return a figure, and the ends of its 95 % interval by the bootstrap over people.

    Args:
        people: (n, ...), what was measured of each.
        figure: of some people.
        draws: how often people are drawn anew.
    """
    random = np.random.default_rng(0)
    others = [figure(people[random.integers(len(people), size=len(people))]) for _ in range(draws)]
    low, high = np.percentile(others, (2.5, 97.5))
    return figure(people), float(low), float(high)
