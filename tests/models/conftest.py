"""Models for what evaluates them: candidates that answer as they are told."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from cuelens_models.bundle.contract import CropRule, Input
from cuelens_models.bundle.preprocess import Grey
from cuelens_models.bundle.scores import Scores
from cuelens_models.candidate import Advance, Candidate
from cuelens_models.cost import Cost

Told = Callable[..., Candidate]


@pytest.fixture(scope="session")
def told() -> Told:
    """A candidate that gives each face the probabilities that the grey level of its first pixel counts out."""

    def make(
        labels: Sequence[str], rows: Sequence[Sequence[float]], enter: dict[str, float] | None = None
    ) -> Candidate:
        table = np.asarray(rows, np.float64)

        def answer(faces: Grey, advance: Advance) -> Scores:
            advance(len(faces))
            return table[np.minimum(faces[:, 0, 0], len(table) - 1)]

        fed = Input(
            height=48,
            width=48,
            channels=1,
            dtype="float32",
            scale=0.0,
            zero_point=0,
            multiply=1.0,
            add=0.0,
            per_image=False,
            crop=CropRule(detector="haar-alt2", scale=1.0, shift_y=0.0),
        )
        return Candidate(
            Path("told.tflite"), "told", "by heart", "made up", tuple(labels), fed, enter, answer, Cost(3, 7, 11), None
        )

    return make
