import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from cuelens_models.bundle import file, golden
from cuelens_models.bundle.file import Bundle
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.errors import BadBundle, MissingExtra


def test_the_shipped_bundle_answers_as_it_did_when_it_was_made(shipped: Bundle) -> None:
    interpreter = Interpreter(shipped)
    interpreter.check_golden()
    step = shipped.contract.output.scale
    for kept in shipped.contract.golden:
        outputs = interpreter.outputs(golden.picture(kept.formula))
        np.testing.assert_allclose(outputs, kept.logits, atol=2.01 * step)
        assert outputs.argmax() == np.argmax(kept.logits)


def test_more_threads_change_no_answer(shipped: Bundle) -> None:
    picture = golden.picture(golden.FORMULAS[1])
    one, two = Interpreter(shipped, threads=1), Interpreter(shipped, threads=2)
    np.testing.assert_array_equal(one.outputs(picture), two.outputs(picture))


def test_an_answer_has_one_number_for_each_label_and_depends_on_the_face(shipped: Bundle) -> None:
    interpreter = Interpreter(shipped)
    answers = [interpreter.outputs(golden.picture(formula)) for formula in golden.FORMULAS]
    assert {answer.shape for answer in answers} == {(len(shipped.contract.labels),)}
    assert len({answer.tobytes() for answer in answers}) == 4


def test_a_face_of_another_size_is_resized_first(shipped: Bundle) -> None:
    picture = golden.picture("255 * ((x // 6 + y // 6) % 2)")
    interpreter = Interpreter(shipped)
    np.testing.assert_array_equal(interpreter.outputs(picture.repeat(3, 0).repeat(3, 1)), interpreter.outputs(picture))


@pytest.mark.parametrize(
    "logits",
    [
        pytest.param([9.0, 0, 0, 0, 0, 0, 0, 0], id="another first label"),
        pytest.param([1.21, -1.45, 0.0, 0.4, 1.45, -4.11, -3.79, -6.0], id="one output several steps off"),
        pytest.param([0.5, 0.5], id="too few numbers"),
        pytest.param([], id="no numbers"),
    ],
)
def test_a_bundle_whose_golden_answers_were_altered_is_refused(
    rewrite: Callable[..., Path], logits: list[float]
) -> None:
    path = rewrite(lambda contract: contract["golden"][0].update(logits=logits))
    with pytest.raises(BadBundle):
        Interpreter(file.load(path)).check_golden()


def test_a_refusal_names_bundle_runtime_and_picture(rewrite: Callable[..., Path], shipped: Bundle) -> None:
    path = rewrite(lambda contract: contract["golden"][1].update(logits=[9.0] + [0.0] * 7))
    interpreter = Interpreter(file.load(path))
    with pytest.raises(BadBundle) as refusal:
        interpreter.check_golden()
    for words in (shipped.contract.title(), interpreter.runtime, golden.FORMULAS[1]):
        assert words in str(refusal.value)


def test_a_golden_formula_of_another_version_is_refused(rewrite: Callable[..., Path]) -> None:
    path = rewrite(lambda contract: contract["golden"][0].update(formula="x + y"))
    with pytest.raises(BadBundle, match="unknown to this cuelens"):
        Interpreter(file.load(path)).check_golden()


def test_bytes_that_the_runtime_refuses_are_a_bad_bundle(shipped: Bundle) -> None:
    with pytest.raises(BadBundle, match="refuses the model"):
        Interpreter(Bundle(b"nothing that a runtime knows" * 10, shipped.contract, Path("foreign.tflite")))


def without_litert(monkeypatch: pytest.MonkeyPatch, tflite_runtime: object) -> None:
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    monkeypatch.setitem(sys.modules, "tflite_runtime", tflite_runtime)
    monkeypatch.setitem(sys.modules, "tflite_runtime.interpreter", tflite_runtime)


def test_without_a_runtime_the_remedy_is_named(shipped: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    without_litert(monkeypatch, None)
    with pytest.raises(MissingExtra, match="no TFLite runtime is installed: run `pip install ai-edge-litert`"):
        Interpreter(shipped)


def test_the_old_runtime_is_refused_beside_numpy_2(shipped: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    without_litert(monkeypatch, SimpleNamespace(Interpreter=object))
    monkeypatch.setattr(np, "__version__", "2.2.6")
    with pytest.raises(MissingExtra, match=r"tflite_runtime needs numpy 1, here is 2\.2\.6"):
        Interpreter(shipped)


def test_the_old_runtime_is_used_beside_numpy_1(shipped: Bundle, monkeypatch: pytest.MonkeyPatch) -> None:
    class OldRuntime:
        def __init__(self, **options: object) -> None:
            raise RuntimeError("the old runtime was asked")

    without_litert(monkeypatch, SimpleNamespace(Interpreter=OldRuntime))
    monkeypatch.setattr(np, "__version__", "1.26.4")
    with pytest.raises(Exception, match="the old runtime was asked"):
        Interpreter(shipped)
