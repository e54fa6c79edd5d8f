from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras", reason="networks need the extra train")

import keras

from cuelens_models.bundle import training_record
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.bundle.scores import softmax
from cuelens_models.bundle.training_record import TrainingRecord
from cuelens_models.data.faces import Faces
from cuelens_models.data.protocols import PROTOCOLS
from cuelens_models.errors import BadInput
from cuelens_models.train import teacher_targets, teachers
from cuelens_models.train.fit import built, fed
from cuelens_models.train.targets import HEADS, ORIGINAL, targets
from cuelens_models.zoo import ensemble

# Keras saves its variables through h5py, which asks them for an array in the way of numpy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def said(labels: tuple[str, ...], protocol: str, *, per_image: bool = True) -> TrainingRecord:
    wanted = fed()
    return TrainingRecord(
        recipe="made up",
        labels=list(labels),
        protocol=protocol,
        multiply=wanted.multiply,
        add=wanted.add,
        per_image=per_image,
        crop=wanted.crop,
        data="made up",
        epochs=1,
        seed=0,
    )


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two networks that answer the original labels, each with a bias of its own."""
    folder = tmp_path_factory.mktemp("members")
    return [saved(folder / f"{seed}.keras", seed, said(ORIGINAL.labels, "fer7")) for seed in (1, 2)]


def saved(path: Path, seed: int, told: TrainingRecord) -> Path:
    keras.utils.set_random_seed(seed)
    whole = built("cuelens", (ORIGINAL,))
    keras.Model(whole.inputs, whole.get_layer("original").output, name="made_up").save(path)
    training_record.write(path, told)
    return path


@pytest.fixture(scope="module")
def faces(made_up_faces: Callable[[int, int], Faces]) -> Faces:
    return made_up_faces(16, 0)


def believed(path: Path, faces: Faces) -> np.ndarray:
    logits = keras.models.load_model(path, compile=False).predict(model_inputs(faces.pixels, fed()), verbose=0)
    return softmax(np.asarray(logits, np.float64))


def test_an_ensemble_believes_the_mean_of_its_members(members: list[Path], faces: Faces, tmp_path: Path) -> None:
    network, told = ensemble.joined(members)
    network.save(tmp_path / "ensemble.keras")
    expected = np.mean([believed(path, faces) for path in members], axis=0)
    np.testing.assert_allclose(believed(tmp_path / "ensemble.keras", faces), expected, atol=1e-5)
    assert (told.recipe, told.labels, told.protocol) == ("ensemble", list(ORIGINAL.labels), "fer7")


def test_members_that_do_not_belong_together_are_refused(members: list[Path], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="two members at least"):
        ensemble.joined(members[:1])
    other = saved(tmp_path / "plain.keras", 3, said(ORIGINAL.labels, "fer7", per_image=False))
    with pytest.raises(BadInput, match=r"plain\.keras and .* are not fed alike"):
        ensemble.joined([*members, other])
    fewer = saved(tmp_path / "fewer.keras", 3, said(PROTOCOLS["fer4"], "fer4"))
    with pytest.raises(BadInput, match=r"fewer\.keras answers neutral happy surprise sad, "):
        ensemble.joined([*members, fewer])


def test_a_file_teaches_the_head_whose_labels_it_answers(members: list[Path], faces: Faces, tmp_path: Path) -> None:
    teacher = teachers.opened(members[0], HEADS)
    assert teacher.heads == {"original"}
    np.testing.assert_allclose(teacher.answer(faces.pixels)["original"], believed(members[0], faces), atol=1e-5)
    answers = teacher_targets.give([teacher], faces, HEADS, 1, 0, tmp_path / "lessons", lambda view: None)
    everyone = np.arange(len(faces))
    found = answers(1, everyone)
    # Nobody teaches the votes: people alone do.
    np.testing.assert_array_equal(found["votes"], targets(faces, HEADS[0]))
    assert np.abs(found["original"] - targets(faces, ORIGINAL)).max() > 0.1


def test_a_file_that_answers_something_else_is_refused(tmp_path: Path) -> None:
    fewer = saved(tmp_path / "fewer.keras", 3, said(PROTOCOLS["fer4"], "fer4"))
    with pytest.raises(BadInput, match=r"a teacher answers one of neutral happy .* not_a_face \(votes\); "):
        teachers.opened(fewer, HEADS)
    (tmp_path / "x.keras").write_bytes(b"a letter")
    with pytest.raises(BadInput, match=r"x\.keras is no \.keras file"):
        teachers.opened(tmp_path / "x.keras", HEADS)


def test_the_checksum_does_not_depend_on_the_order(members: list[Path]) -> None:
    assert teachers.checksum(members) == teachers.checksum(members[::-1]) != teachers.checksum(members[:1])
    assert teachers.checksum([]) == ""
