"""Made-up persons who calibrate: their sitting, and single readings of any expression afterwards.

A sitter is a person of `persons.py`. In the sitting the neutral face is read for ten seconds, and each expression that
is posed for five, fifteen times a second: one face of that expression for the whole five seconds, and turns of the head
that change every second or so. Later readings share nothing with it but the person: each is of another face of its
expression, another turn of the head and another view. A sitter without a bias adds nothing to what faces show in
general.
"""

from copy import copy
from typing import Final

import numpy as np
from numpy.typing import NDArray
from persons import DRIFT, OWN, Faces, PersonStream, faces
from readings import VIEWS, Camera

from cuelens import events
from cuelens.calibration.samples import Samples
from cuelens_models.bundle.expressions import LABELS

NEUTRAL_S: Final = 10.0
POSED_S: Final = 5.0


class Sitter(PersonStream):
    """A person in view, who shows what is asked for."""

    def __init__(self, seed: int, part: str, camera: Camera, *, biased: bool = True) -> None:
        """Choose a person.

        Args:
            seed: of all chance.
            part: "inner" to choose by, "held_out" to report on.
            camera: what reads the person.
            biased: whether the person differs from faces in general.
        """
        super().__init__(seed, part)
        self._person = int(self._random.choice(self._neutrals))
        self._faces = faces(part, camera) if biased else _without(faces(part, camera), self._person)
        self._there = True
        self.labels = self._faces.labels

    def sitting(self, posed: tuple[str, ...]) -> Samples:
        """Return the samples of a sitting. posed: the expressions after the neutral face."""
        samples = Samples()
        for expression, seconds in (("neutral", NEUTRAL_S), *((expression, POSED_S) for expression in posed)):
            self.events.clear()
            self._show(expression, self._t + seconds)
            for event in self.events:
                if isinstance(event, events.Reading):
                    samples.add(expression, event.t, [event.scores[label] for label in self.labels])
        return samples

    def later(self, count: int) -> dict[str, NDArray[np.float64]]:
        """Return so many later readings of each expression, probabilities, (count, labels)."""
        return {label: self._later(label, count) for label in LABELS if label in self.labels}

    def _later(self, expression: str, count: int) -> NDArray[np.float64]:
        known, place = self._faces, self.labels.index(expression)
        own = known.added[self._person]
        if expression == "neutral":
            shown, logs = np.full(count, self._person), np.tile(known.classes[place] + own, (count, 1))
        else:
            shown = self._random.choice(np.flatnonzero(known.truth == place), count)
            logs = known.classes[place] + OWN**0.5 * own + (1 - OWN) ** 0.5 * known.added[shown]
        logs = logs + DRIFT * known.added[self._random.choice(self._neutrals, count)]
        read = np.exp(logs + known.noise[self._random.integers(VIEWS, size=count), shown])
        return np.asarray(read / read.sum(axis=1, keepdims=True))


def _without(known: Faces, person: int) -> Faces:
    """Return the faces with a person who adds nothing."""
    others = copy(known)
    others.added = known.added.copy()
    others.added[person] = 0.0
    return others
