"""The description of a network held against held-out faces: its labels, its feeding, and classes that it never names.

Labels in another order and pixels in another range convert without an error. So every feeding of --pixels is tried, and
for each the assignment of labels to outputs that names most faces rightly. Another reading of the network speaks
against its description only if it is far better:

- by over a point of accuracy on the faces concerned, which are those of the exchanged labels, or all for a feeding;
- not by chance: McNemar's exact test of the same faces read in both ways, at 1 % after Bonferroni's correction for the
  readings that were tried. These are three feedings, or C(k, m) (m - 1)! ways to exchange m of k labels in a circle.

A poor network passes: the best of many readings of noise is not significant after the correction. A class speaks
against a network only if it has 100 faces and the upper end of its recall's 95 % interval is under 5 %.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import comb, factorial
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from cuelens_convert.compare import MIN_CLASS_IMAGES, mcnemar
from cuelens_models.bundle.expressions import NOT_A_FACE
from cuelens_models.bundle.scores import Scores
from cuelens_models.data.protocols import PROTOCOLS, LabelledFaces, columns
from cuelens_models.errors import BadInput, Refused
from cuelens_models.evaluate.binomial import share_interval

if TYPE_CHECKING:
    from cuelens_convert.source import Source  # Keras, whose import takes seconds

_POINTS: Final = 1.0
"""Gain in percentage points above which a reading is far better: twice what a conversion may lose by default."""
_SIGNIFICANCE: Final = 0.01
"""Chance, after the correction, below which a reading is far better."""
_NO_RECALL: Final = 0.05
"""Recall below which a class counts as never named."""
_MARGIN: Final = 0.01
"""Margin over the majority-class baseline below which a network counts as untrained."""

Right = NDArray[np.bool_]
"""Which held-out faces are named rightly, (n,)."""
Circle = tuple[str, ...]
"""Labels that are exchanged: each output gets the next label's name, the last one the first's."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A network under one feeding, with the labels that fit best.

    pixels: the feeding, as a value of --pixels; "" for that of a training record. plain: which faces are named rightly
    with the labels as described. labels: of the outputs, in order; the described ones unless others are far better.
    exchanged: where they differ. right: which faces are named rightly with them.
    """

    pixels: str
    plain: Right
    labels: tuple[str, ...]
    exchanged: tuple[Circle, ...]
    right: Right

    def __str__(self) -> str:
        """Return the accuracy in words, with the labels as described and, if others are far better, with those."""
        exchanged = f", with {self.exchanges} {_percent(self.right)} %" if self.exchanged else ""
        return f"{_percent(self.plain)} % named rightly{exchanged}"

    @property
    def exchanges(self) -> str:
        """Return in words where the labels differ from the description."""
        return " and ".join(
            f"{circle[0]} and {circle[1]} exchanged" if len(circle) == 2 else f"{', '.join(circle)} in another order"
            for circle in self.exchanged
        )


def check(
    outputs: Mapping[str, Scores],
    held_out: LabelledFaces,
    source: "Source",
    say: Callable[[str], None],
    *,
    as_described: bool,
) -> tuple[tuple[str, str], ...]:
    """Hold the description of a network against the held-out faces; return what was found out, as name and value.

    Args:
        outputs: logits for the held-out faces by value of --pixels, each (n, outputs). The described feeding is first.
        held_out: the faces.
        source: the network.
        say: takes what was found out, line by line.
        as_described: what speaks against the description is noted, and not refused.

    Raises:
        Refused: another reading is far better, or a class is never named.
        BadInput: the network is not better than always naming the commonest expression.
    """
    found = []

    def note(name: str, value: str) -> None:
        found.append((name, value))
        say(f"  {name}: {value}")

    def object_to(words: str, remedy: str) -> None:
        if not as_described:
            raise Refused(
                f"model {source.name} is refused: {words}: {remedy}, or give --as-described to convert it all the"
                " same: nothing was written"
            )
        note("against it", words)

    tried = readings(outputs, held_out.truth, source.record.labels, source.record.protocol)
    own = tried[0]
    if len(tried) > 1:
        for reading in tried:
            note(f"fed {reading.pixels}", str(reading))
    if better := far_better(tried):
        object_to(difference(own, better), _remedy(own, better))
    _check_trained(own.plain, held_out.truth, source.name)
    if classes := never_named(own.plain, held_out.truth, held_out.labels):
        words = f"it names only {' and '.join(classes)} rightly"
        object_to(words, "no other labels or pixels are far better, so check its training")
    return tuple(found)


def readings(
    outputs: Mapping[str, Scores], truth: NDArray[np.intp], labels: Sequence[str], protocol: str
) -> list[Reading]:
    """Return the reading under each feeding.

    Args:
        outputs: logits for the held-out faces by value of --pixels, each (n, outputs). The described feeding is first.
        truth: indices into the labels of the protocol, (n,).
        labels: as described, one for each output.
        protocol: has these labels, not_a_face apart.
    """
    return [_reading(pixels, logits, truth, tuple(labels), protocol) for pixels, logits in outputs.items()]


def far_better(tried: Sequence[Reading]) -> Reading | None:
    """Return the reading that speaks against the description, None if none does. tried: of `readings`."""
    own, *others = tried
    better = [other for other in others if _is_far_better(own.right, other.right, len(others))]
    best = max([own, *better], key=lambda reading: int(reading.right.sum()))
    return best if best is not own or own.exchanged else None


def difference(described: Reading, other: Reading) -> str:
    """Return in words how another reading differs from the description, and by how much it is better.

    described: the reading under the described feeding. other: of `far_better`.
    """
    ways = [f"fed {other.pixels} instead of {described.pixels}"] if other is not described else []
    if other.exchanged:
        ways.append(f"with {other.exchanges}")
    return (
        f"{' and '.join(ways)}: {_percent(other.right)} instead of {_percent(described.plain)} % of"
        f" {len(other.right)} held-out faces are named rightly"
    )


def never_named(right: Right, truth: NDArray[np.intp], labels: Sequence[str]) -> list[str]:
    """Return in words each class of 100 faces that has almost no recall.

    Args:
        right: which faces are named rightly, (n,).
        truth: indices into the labels, (n,).
        labels: of the protocol.
    """
    words = []
    for index, label in enumerate(labels):
        group = right[truth == index]
        if len(group) >= MIN_CLASS_IMAGES and share_interval(int(group.sum()), len(group))[1] < _NO_RECALL:
            words.append(f"{int(group.sum())} of {len(group)} {label} faces")
    return words


def best_assignment(counts: NDArray[np.intp]) -> tuple[int, ...]:
    """Return for each row a column of its own, so that the counts there have the greatest sum.

    This is the assignment problem that the Hungarian method solves (Kuhn 1955). So few columns allow an exact solution
    by going through all their subsets, row by row.

    counts: (rows, columns), with as many columns as rows or more, and few of them: time grows as 2 ** columns.
    """
    # By the columns that are taken, as bits.
    best: dict[int, tuple[int, tuple[int, ...]]] = {0: (0, ())}
    for row in counts.tolist():
        further: dict[int, tuple[int, tuple[int, ...]]] = {}
        for taken, (total, chosen) in best.items():
            for column, count in enumerate(row):
                if not taken >> column & 1:
                    candidate = (total + count, (*chosen, column))
                    key = taken | 1 << column
                    further[key] = max(candidate, further.get(key, candidate))
        best = further
    return max(best.values())[1]


def _remedy(described: Reading, other: Reading) -> str:
    if not described.pixels:
        return "check the names of the classes in DATA (--classes)"
    options = [f"--pixels {other.pixels}"] if other is not described else []
    if other.exchanged:
        options.append(f"--labels {','.join(other.labels)}")
    return f"give {' '.join(options)} if that is how it was trained"


def _check_trained(right: Right, truth: NDArray[np.intp], name: str) -> None:
    """Raise BadInput if a network is not better than the majority-class baseline."""
    baseline, accuracy = float(np.bincount(truth).max() / len(truth)), float(right.mean())
    if accuracy < baseline + _MARGIN:
        raise BadInput(
            f"model {name} is right on {accuracy:.1%} of the held-out images, and always naming the commonest"
            f" expression on {baseline:.1%}: is it trained, are labels in its order, and pixels as in its training?"
        )


def _reading(
    pixels: str, logits: Scores, truth: NDArray[np.intp], described: tuple[str, ...], protocol: str
) -> Reading:
    plain = right = _right(logits, truth, described, protocol)
    labels, exchanged = described, []
    renamed = _renamed(logits, truth, described, protocol)
    for circle in _circles(renamed):
        changed = tuple(renamed[label] if label in circle else label for label in labels)
        then = _right(logits, truth, changed, protocol)
        concerned = np.isin(np.array(PROTOCOLS[protocol])[truth], circle) | (right != then)
        ways = comb(len(described), len(circle)) * factorial(len(circle) - 1)
        if _is_far_better(right[concerned], then[concerned], ways):
            labels, right = changed, then
            exchanged.append(circle)
    return Reading(pixels, plain, labels, tuple(exchanged), right)


def _renamed(logits: Scores, truth: NDArray[np.intp], described: tuple[str, ...], protocol: str) -> dict[str, str]:
    """Return for each described label the one that its output has in the best assignment."""
    places = columns(described, protocol)
    counts = np.zeros((len(places), len(described)), np.intp)
    np.add.at(counts, (truth, logits.argmax(axis=1)), 1)
    # A label stays where it is unless more than one face speaks against it.
    counts[np.arange(len(places)), places] += 1
    names = dict(zip(best_assignment(counts), PROTOCOLS[protocol], strict=True))
    return {label: names.get(place, NOT_A_FACE) for place, label in enumerate(described)}


def _right(logits: Scores, truth: NDArray[np.intp], labels: Sequence[str], protocol: str) -> Right:
    return np.asarray(logits[:, columns(labels, protocol)].argmax(axis=1) == truth)


def _circles(renamed: Mapping[str, str]) -> list[Circle]:
    """Return the circles of a permutation that have two labels or more."""
    left, circles = dict(renamed), []
    while left:
        label, circle = next(iter(left)), []
        while label in left:
            circle.append(label)
            label = left.pop(label)
        circles.append(tuple(circle))
    return [circle for circle in circles if len(circle) > 1]


def _is_far_better(before: Right, after: Right, tries: int) -> bool:
    """Return whether a second reading of the same faces is far better. tries: readings that it is the best of."""
    points = 100 * (float(after.mean()) - float(before.mean()))
    chance = mcnemar(int((before & ~after).sum()), int((~before & after).sum()))
    return points > _POINTS and tries * chance < _SIGNIFICANCE


def _percent(right: Right) -> str:
    return f"{100 * float(right.mean()):.1f}"
