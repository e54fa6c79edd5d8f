import numpy as np
import pytest

pytest.importorskip("keras", reason="conversion needs the extra convert")

from cuelens_convert.compare import Judged, gate
from cuelens_models.bundle.contract import Parity
from cuelens_models.errors import Refused


def parity(before: float, after: float, worst: float = 0.0) -> Parity:
    return Parity(images=1000, float_accuracy=before, converted_accuracy=after, agreement=0.99, worst_class_drop=worst)


@pytest.mark.parametrize(
    ("judged", "max_drop", "max_class_drop", "error"),
    [
        pytest.param(parity(0.85, 0.85), 0.5, 3, None, id="as good"),
        pytest.param(parity(0.85, 0.87), 0.5, 3, None, id="better"),
        pytest.param(parity(0.85, 0.846), 0.5, 3, None, id="a little worse"),
        pytest.param(parity(0.85, 0.844), 0.5, 3, r"0\.60 points of accuracy, 0\.5 are", id="worse"),
        pytest.param(parity(0.85, 0.85, 0.029), 0.5, 3, None, id="a class a little worse"),
        pytest.param(parity(0.85, 0.85, 0.031), 0.5, 3, r"3\.10 points of recall .* 3 are", id="a class worse"),
        pytest.param(parity(0.85, 0.85, -0.02), 0.5, 3, None, id="every class better"),
        pytest.param(parity(0.85, 0.80, 0.5), 0.5, 3, "--max-drop", id="both worse"),
        pytest.param(parity(0.85, 0.80, 0.2), 5.5, 25, None, id="wider gates"),
        pytest.param(parity(0.85, 0.85), -1, 3, "--max-drop", id="a gate that asks for more"),
        pytest.param(parity(0.9, 0.895), 0.5, 3, None, id="exactly what is allowed"),
        pytest.param(parity(0.85, 0.85, 0.07), 0.5, 7, None, id="exactly what a class is allowed"),
    ],
)
def test_the_gate_lets_through_what_lost_no_more_than_allowed(
    judged: Parity, max_drop: float, max_class_drop: float, error: str | None
) -> None:
    if error is None:
        gate(judged, max_drop, max_class_drop)
    else:
        with pytest.raises(Refused, match=error):
            gate(judged, max_drop, max_class_drop)


def judged(truth: list[int], before: list[int], after: list[int]) -> Judged:
    """Return what two models said of two classes, given which one each found likelier."""
    return Judged(("happy", "sad"), np.array(truth), np.eye(2)[before], np.eye(2)[after])


def test_parity_by_hand() -> None:
    # 120 happy, 120 sad; the second model loses 12 happy ones, and 6 sad ones that were wrong become right.
    truth = [0] * 120 + [1] * 120
    before = [0] * 120 + [1] * 108 + [0] * 12
    after = [0] * 108 + [1] * 12 + [1] * 114 + [0] * 6
    found = judged(truth, before, after).parity()
    assert found == Parity(
        images=240, float_accuracy=0.95, converted_accuracy=0.925, agreement=0.925, worst_class_drop=0.1
    )


def test_a_class_of_few_images_is_not_judged_alone() -> None:
    truth = [0] * 120 + [1] * 99
    found = judged(truth, truth, [0] * 219).parity()
    assert found.worst_class_drop == 0
    assert judged([*truth, 1], [*truth, 1], [0] * 220).parity().worst_class_drop == 1


def test_the_written_model_is_what_is_scored() -> None:
    truth = [0] * 60 + [1] * 60
    found = judged(truth, [0] * 120, [0] * 60 + [1] * 30 + [0] * 30).scored("ferplus8 on made up", 0.01)
    assert (found.protocol, found.images, found.accuracy) == ("ferplus8 on made up", 120, 0.75)
    assert found.macro_f1 == pytest.approx((120 / 150 + 60 / 90) / 2, abs=1e-5)
    # At so low a temperature it is sure of everything, and right in three of four.
    assert found.ece == pytest.approx(0.25, abs=1e-5)
