import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cuelens_models.bundle import training_record
from cuelens_models.bundle.file import SHIPPED, Bundle
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.bundle.scores import probabilities
from cuelens_models.data.faces import Faces
from cuelens_models.errors import BadBundle, BadInput
from cuelens_models.evaluate.candidate import open_candidate

KERAS = Path(__file__).resolve().parents[3] / "models" / "cuelens_models" / "shipped" / "cuelens.keras"


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("absent.tflite", None, BadBundle),
        ("x.tflite", b"", BadBundle),
        ("x.tflite", SHIPPED.read_bytes()[:100_000], BadBundle),
        ("x.jpg", b"\xff\xd8\xff", BadBundle),
        ("absent.keras", None, BadInput),
        ("x.keras", b"", BadInput),
        ("x.keras", b"a letter", BadInput),
    ],
)
def test_a_model_that_cannot_be_used_is_bad_input(
    tmp_path: Path, name: str, content: bytes | None, error: type[Exception]
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=name):
        open_candidate(tmp_path / name)


def test_a_bundle_answers_as_on_the_glasses(
    shipped: Bundle, made_up_faces: Callable[[int, int], Faces], tmp_path: Path
) -> None:
    faces = made_up_faces(5, 1).pixels
    model = open_candidate(SHIPPED)
    done: list[int] = []
    interpreter = Interpreter(shipped)
    expected = np.stack([probabilities(interpreter.outputs(face), shipped.contract) for face in faces])
    np.testing.assert_allclose(np.exp(model.answer(faces, done.append)), expected)
    assert done == [1] * 5
    assert model.enter == shipped.contract.probabilities.enter
    assert model.labels == tuple(shipped.contract.labels)


def test_the_training_of_a_bundle_is_known_from_the_network_beside_it_and_from_no_other(tmp_path: Path) -> None:
    bundle = Path(shutil.copy(SHIPPED, tmp_path / "mine.tflite"))
    assert open_candidate(bundle).record is None
    beside = Path(shutil.copy(KERAS, tmp_path / "mine.keras"))
    assert open_candidate(bundle).record == training_record.read(KERAS)
    beside.write_bytes(KERAS.read_bytes() + b"x")
    assert open_candidate(bundle).record is None


def test_a_network_has_no_thresholds_and_answers_distributions(made_up_faces: Callable[[int, int], Faces]) -> None:
    pytest.importorskip("keras", reason="a .keras file is run by Keras (extra train)")
    model = open_candidate(KERAS)
    assert model.enter is None
    assert model.record == training_record.read(KERAS)
    answers = model.answer(made_up_faces(5, 1).pixels, lambda count: None)
    assert answers.shape == (5, len(model.labels))
    np.testing.assert_allclose(np.exp(answers).sum(axis=1), 1)
    assert (model.cost.multiply_adds, model.cost.bytes) == (None, KERAS.stat().st_size)
    assert model.cost.parameters
