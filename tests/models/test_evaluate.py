from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
import pytest

from cuelens_models.bundle import file
from cuelens_models.bundle.file import SHIPPED, Bundle
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.bundle.scores import probabilities
from cuelens_models.data.faces import EMOTIONS, VOTES, Faces
from cuelens_models.data.load import FaceData, load
from cuelens_models.data.protocols import PROTOCOLS
from cuelens_models.errors import BadBundle, BadInput
from cuelens_models.evaluate import evaluate


def as_said(faces: Faces, words: list[str]) -> FaceData:
    """Return these faces held out, each with all votes and the original label for a word."""
    votes = np.array([[9 * (word == vote) for vote in VOTES] for word in words], np.uint8)
    emotion = np.array([EMOTIONS.index(word) if word in EMOTIONS else -1 for word in words], np.int8)
    held = Faces(faces.pixels, emotion, votes)
    return FaceData("made up", held, held, held, "made up", ())


@pytest.fixture(scope="module")
def faces(made_up_faces: Callable[[int, int], Faces]) -> Faces:
    return made_up_faces(24, 5)


@pytest.fixture(scope="module")
def guesses(shipped: Bundle, faces: Faces) -> list[str]:
    """What the shipped bundle says of each face, found without `evaluate`."""
    interpreter = Interpreter(shipped)
    answers = np.stack([probabilities(interpreter.outputs(face), shipped.contract) for face in faces.pixels])
    return [shipped.contract.labels[index] for index in answers.argmax(axis=1)]


def test_a_bundle_that_is_always_right_scores_1(faces: Faces, guesses: list[str]) -> None:
    figures = evaluate(SHIPPED, as_said(faces, guesses), "ferplus8")
    assert set(figures) == {"protocol", "images", "accuracy", "macro_f1", "recall", "ece", "coverage"}
    assert (figures["protocol"], figures["images"], figures["accuracy"]) == ("ferplus8 on made up", 24, 1)
    assert figures["recall"] == dict.fromkeys(figures["recall"], 1.0)
    assert set(figures["recall"]) == set(guesses)
    assert set(figures["coverage"].values()) == {1.0}


def test_accuracy_is_the_share_that_is_right(faces: Faces, guesses: list[str]) -> None:
    wrong = ["happy" if guess != "happy" else "sad" for guess in guesses]
    figures = evaluate(SHIPPED, as_said(faces, guesses[:18] + wrong[18:]), "ferplus8")
    assert figures["accuracy"] == 0.75


def test_only_the_labels_of_the_protocol_are_asked(faces: Faces, shipped: Bundle) -> None:
    interpreter = Interpreter(shipped)
    asked = [shipped.contract.labels.index(word) for word in PROTOCOLS["fer4"]]
    best = [PROTOCOLS["fer4"][int(interpreter.outputs(face)[asked].argmax())] for face in faces.pixels]
    assert evaluate(SHIPPED, as_said(faces, best), "fer4")["accuracy"] == 1


def test_a_model_that_cannot_say_all_that_is_asked_is_refused(faces: Faces, shipped: Bundle, tmp_path: Path) -> None:
    labels = ["not_a_face" if label == "contempt" else label for label in shipped.contract.labels]
    said = msgspec.structs.replace(shipped.contract.probabilities, enter=dict.fromkeys(labels, 0.5))
    path = tmp_path / "other.tflite"
    path.write_bytes(
        file.pack(shipped.model, msgspec.structs.replace(shipped.contract, labels=labels, probabilities=said))
    )
    with pytest.raises(BadInput, match="cannot say contempt, which ferplus8 asks for"):
        evaluate(path, as_said(faces, ["happy"] * 24), "ferplus8")


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
    tmp_path: Path, faces: Faces, name: str, content: bytes | None, error: type[Exception]
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(error, match=name):
        evaluate(tmp_path / name, as_said(faces, ["happy"] * 24), "ferplus8")


@pytest.mark.data
def test_the_shipped_bundle_is_right_four_times_of_five_and_as_good_as_its_source(data_dir: Path) -> None:
    data = load(data_dir)
    written = evaluate(SHIPPED, data, "ferplus8")
    assert written["images"] == 3088
    assert written["accuracy"] >= 0.8
    said = file.load(SHIPPED).contract.metrics
    assert (said.protocol, said.images) == (written["protocol"], written["images"])
    # Kernels round differently between processors: an image or two may change sides.
    for found, promised in (("accuracy", said.accuracy), ("macro_f1", said.macro_f1), ("ece", said.ece)):
        assert written[found] == pytest.approx(promised, abs=0.003)

    pytest.importorskip("keras", reason="the .keras source is run by Keras (extra train)")
    source = evaluate(SHIPPED.with_suffix(".keras"), data, "ferplus8")
    assert source["accuracy"] - written["accuracy"] <= 0.005
