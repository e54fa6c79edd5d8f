"""Descriptions of networks held against faces: far better readings are found, poor networks are left in peace."""

from collections.abc import Mapping, Sequence
from itertools import permutations, product
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cuelens_convert.doubt import best_assignment, check, difference, far_better, never_named, readings
from cuelens_models.bundle.expressions import LABELS, NOT_A_FACE
from cuelens_models.data.protocols import PROTOCOLS, LabelledFaces
from cuelens_models.errors import BadInput, CuelensError, Refused

FER_PLUS_SHARES = np.array([0.37, 0.27, 0.125, 0.11, 0.09, 0.01, 0.02, 0.005])


def answers(truth: Any, recall: float, labels: Sequence[str], seed: int = 0) -> Any:
    """Return the logits, (n, outputs), of a network that is right this often, and else names any output.

    truth: indices into LABELS, (n,). labels: what its outputs truly mean.
    """
    random = np.random.default_rng([1, seed])
    known = np.array([labels.index(LABELS[index]) for index in truth])
    named = np.where(random.random(len(truth)) < recall, known, random.integers(0, len(labels), len(truth)))
    return np.eye(len(labels))[named] + random.uniform(0, 0.1, (len(truth), len(labels)))


def faces(count: int, seed: int = 0) -> Any:
    """Return the expressions of faces, as frequent as in FER+."""
    shares = FER_PLUS_SHARES / FER_PLUS_SHARES.sum()
    return np.random.default_rng(seed).choice(len(LABELS), count, p=shares)


def swapped(one: str, two: str) -> tuple[str, ...]:
    return tuple({one: two, two: one}.get(label, label) for label in LABELS)


AFFECTNET = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt")
NINE = (*LABELS, NOT_A_FACE)
REVERSED = (*LABELS[::-1], NOT_A_FACE)
TURNED = (*LABELS[:2], "angry", "surprise", "sad", *LABELS[5:])
"""Three labels moved on in a circle."""


@pytest.mark.parametrize(
    ("truly", "described", "count", "words"),
    [
        pytest.param(LABELS, LABELS, 3000, None, id="as described"),
        pytest.param(LABELS, swapped("sad", "surprise"), 3000, "sad and surprise exchanged", id="two exchanged"),
        pytest.param(LABELS, swapped("sad", "surprise"), 300, "sad and surprise exchanged", id="few faces"),
        pytest.param(LABELS, swapped("sad", "surprise"), 30, None, id="too few faces to say"),
        pytest.param(
            LABELS, AFFECTNET, 3000, "sad and surprise exchanged and fear and angry exchanged", id="two pairs"
        ),
        pytest.param(LABELS, swapped("disgust", "fear"), 3000, "fear and disgust exchanged", id="two rare ones"),
        pytest.param(LABELS, TURNED, 3000, "angry, surprise, sad in another order", id="three in a circle"),
        pytest.param(NINE, (NOT_A_FACE, *LABELS[1:], "neutral"), 3000, "not_a_face and neutral", id="not_a_face"),
        pytest.param(NINE, NINE, 3000, None, id="nine as described"),
        pytest.param(NINE, REVERSED, 3000, "contempt and neutral exchanged and fear and happy", id="all reversed"),
    ],
)
def test_labels_in_another_order_are_found(
    truly: Sequence[str], described: Sequence[str], count: int, words: str | None
) -> None:
    truth = faces(count)
    tried = readings({"0..1": answers(truth, 0.8, truly)}, truth, described, "ferplus8")
    better = far_better(tried)
    if words is None:
        assert better is None
        return
    assert better is tried[0]
    assert words in difference(tried[0], better)
    assert f"% of {count} held-out faces are named rightly" in difference(tried[0], better)
    assert better.right.mean() > better.plain.mean()
    assert better.labels == tuple(truly)


def test_of_equally_poor_readings_one_in_a_hundred_counts_at_most() -> None:
    draws, alarms, alarms_of_labels = 0, 0, 0
    for recall, count, seed in product((0.0, 0.05, 0.2, 0.5), (100, 1000, 5000), range(25)):
        truth = faces(count, seed)
        outputs = {pixels: answers(truth, recall, NINE, 100 * seed + place) for place, pixels in enumerate("abcd")}
        tried = readings(outputs, truth, NINE, "ferplus8")
        draws += 1
        alarms += far_better(tried) is not None
        alarms_of_labels += far_better(tried[:1]) is not None
    assert alarms <= 0.01 * draws
    assert alarms_of_labels == 0


def test_a_network_that_takes_one_rare_class_for_another_is_left_in_peace() -> None:
    truth = faces(3000)
    logits = answers(truth, 0.8, LABELS)
    for rare in ("disgust", "contempt"):
        logits[truth == LABELS.index(rare)] = np.eye(8)[LABELS.index("angry")]
    assert far_better(readings({"": logits}, truth, LABELS, "ferplus8")) is None


@pytest.mark.parametrize(
    ("recalls", "better"),
    [
        ({"0..1": 0.8, "0..255": 0.1, "symmetric": 0.3, "standardised": 0.5}, None),
        ({"0..1": 0.5, "0..255": 0.1, "symmetric": 0.8, "standardised": 0.7}, "symmetric"),
        ({"0..1": 0.8, "0..255": 0.8, "symmetric": 0.8, "standardised": 0.805}, None),
        ({"0..1": 0.8, "0..255": 0.84}, "0..255"),
        ({"0..1": 0.0, "0..255": 0.8}, "0..255"),
    ],
)
def test_a_feeding_that_is_far_better_is_found(recalls: Mapping[str, float], better: str | None) -> None:
    truth = faces(3000)
    outputs = {pixels: answers(truth, recall, LABELS) for pixels, recall in recalls.items()}
    tried = readings(outputs, truth, LABELS, "ferplus8")
    found = far_better(tried)
    assert (found and found.pixels) == better
    if found:
        assert difference(tried[0], found).startswith(f"fed {better} instead of 0..1: ")


def test_feeding_and_labels_may_both_be_wrong() -> None:
    truth = faces(3000)
    outputs = {"0..1": answers(truth, 0.1, LABELS), "symmetric": answers(truth, 0.8, LABELS)}
    tried = readings(outputs, truth, swapped("sad", "surprise"), "ferplus8")
    found = far_better(tried)
    assert found is not None
    assert (found.pixels, found.labels) == ("symmetric", LABELS)
    words = difference(tried[0], found)
    assert words.startswith("fed symmetric instead of 0..1 and with sad and surprise exchanged: 8")
    plain, right = (f"{100 * share.mean():.1f} %" for share in (found.plain, found.right))
    assert str(found) == f"{plain} named rightly, with sad and surprise exchanged {right}"


def test_a_feeding_that_is_hardly_better_does_not_join_labels_that_are() -> None:
    truth = faces(3000)
    outputs = {"0..1": answers(truth, 0.8, LABELS), "symmetric": answers(truth, 0.803, LABELS)}
    found = far_better(readings(outputs, truth, swapped("sad", "surprise"), "ferplus8"))
    assert found is not None
    assert (found.pixels, found.labels) == ("0..1", LABELS)


def test_the_best_assignment_is_that_of_all_that_there_are() -> None:
    random = np.random.default_rng(0)
    for _ in range(20):
        counts = random.integers(0, 50, (4, 5))
        best = max(counts[np.arange(4), list(places)].sum() for places in permutations(range(5), 4))
        found = best_assignment(counts)
        assert len(set(found)) == 4
        assert counts[np.arange(4), list(found)].sum() == best


@pytest.mark.parametrize(
    ("count", "hits", "named"),
    [
        (99, 0, False),  # too few to say
        (100, 0, True),
        (100, 1, False),  # may be 5.4 %
        (500, 14, True),
        (500, 20, False),
        (500, 40, False),
    ],
)
def test_a_class_is_never_named_if_it_is_large_and_its_recall_almost_none(count: int, hits: int, named: bool) -> None:
    labels = PROTOCOLS["fer4"]
    truth = np.repeat([0, 3], [1000, count])
    right = np.concatenate([np.ones(1000, bool), np.arange(count) < hits])
    assert never_named(right, truth, labels) == ([f"{hits} of {count} sad faces"] if named else [])


def network(labels: Sequence[str]) -> Any:
    return SimpleNamespace(name="x.h5", record=SimpleNamespace(labels=list(labels), protocol="ferplus8"))


def blind_to(label: str, truth: Any) -> Any:
    """Return the logits of a network that takes one class for neutral."""
    logits = answers(truth, 0.8, LABELS)
    logits[truth == LABELS.index(label)] = np.eye(8)[0]
    return logits


TRUTH = faces(3000)
HELD_OUT = LabelledFaces(LABELS, np.arange(3000), TRUTH)
GOOD = answers(TRUTH, 0.8, LABELS)
POOR = answers(TRUTH, 0.0, LABELS)
SAD = int(np.bincount(TRUTH)[LABELS.index("sad")])


@pytest.mark.parametrize(
    ("outputs", "labels", "error", "words"),
    [
        ({"0..1": GOOD, "0..255": POOR}, LABELS, None, ""),
        ({"0..1": GOOD}, TURNED, Refused, f"give --labels {','.join(LABELS)} if that is how it was trained"),
        ({"0..1": POOR, "0..255": GOOD}, LABELS, Refused, "give --pixels 0..255 if that is how it was trained"),
        ({"0..1": POOR, "0..255": GOOD}, TURNED, Refused, f"give --pixels 0..255 --labels {','.join(LABELS)} if"),
        ({"": GOOD}, TURNED, Refused, "check the names of the classes in DATA (--classes)"),
        ({"0..1": blind_to("sad", TRUTH)}, LABELS, Refused, f"it names only 0 of {SAD} sad faces rightly: no other"),
        ({"0..1": blind_to("contempt", TRUTH)}, LABELS, None, ""),
        ({"0..1": POOR}, LABELS, BadInput, "always naming the commonest expression"),
    ],
)
def test_what_speaks_against_a_description_is_refused_with_what_to_do(
    outputs: Mapping[str, Any], labels: Sequence[str], error: type[CuelensError] | None, words: str
) -> None:
    if error is None:
        check(outputs, HELD_OUT, network(labels), [].append, as_described=False)
        return
    with pytest.raises(error) as refused:
        check(outputs, HELD_OUT, network(labels), [].append, as_described=False)
    assert words in str(refused.value)
    assert ("--as-described to convert it all the same" in str(refused.value)) == (error is Refused)


def test_whoever_is_sure_goes_on_and_it_is_noted() -> None:
    said: list[str] = []
    outputs = {"0..1": answers(TRUTH, 0.6, LABELS), "0..255": GOOD}
    tried = check(outputs, HELD_OUT, network(LABELS), said.append, as_described=True)
    assert [name for name, _ in tried] == ["fed 0..1", "fed 0..255", "against it"]
    assert tried[2][1].startswith("fed 0..255 instead of 0..1: ")
    assert said == [f"  {name}: {value}" for name, value in tried]
