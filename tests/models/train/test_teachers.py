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
from cuelens_models.data.augment import pose
from cuelens_models.data.faces import VOTES, Faces
from cuelens_models.data.protocols import PROTOCOLS
from cuelens_models.errors import BadInput
from cuelens_models.progress import Recorder
from cuelens_models.train import teachers
from cuelens_models.train.batches import ViewTargets, augmented
from cuelens_models.train.distilled import RECIPES, built
from cuelens_models.train.targets import HEADS, ORIGINAL, targets
from cuelens_models.zoo import ensemble
from cuelens_models.zoo.cuelens import INPUT
from cuelens_models.zoo.recipe import OwnRecipe

# Keras saves its variables through h5py, which asks them for an array in the way of numpy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


SEED = 3


def record(labels: tuple[str, ...], protocol: str, *, per_image: bool = True) -> TrainingRecord:
    return TrainingRecord(
        recipe="made up",
        labels=list(labels),
        protocol=protocol,
        multiply=INPUT.multiply,
        add=INPUT.add,
        per_image=per_image,
        crop=INPUT.crop,
        data="made up",
        epochs=1,
        seed=0,
    )


@pytest.fixture(scope="module")
def members(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two networks that answer the original labels, each with a bias of its own."""
    folder = tmp_path_factory.mktemp("members")
    return [saved(folder / f"{seed}.keras", seed, record(ORIGINAL.labels, "fer7")) for seed in (1, 2)]


def saved(path: Path, seed: int, about: TrainingRecord) -> Path:
    keras.utils.set_random_seed(seed)
    whole = built(RECIPES["cuelens"], (ORIGINAL,))
    keras.Model(whole.inputs, whole.get_layer("original").output, name="made_up").save(path)
    training_record.write(path, about)
    return path


@pytest.fixture(scope="module")
def faces(made_up_faces: Callable[[int, int], Faces]) -> Faces:
    return made_up_faces(16, 0)


def believed(path: Path, faces: Faces) -> np.ndarray:
    logits = keras.models.load_model(path, compile=False).predict(model_inputs(faces.pixels, INPUT), verbose=0)
    return softmax(np.asarray(logits, np.float64))


def test_an_ensemble_believes_the_mean_of_its_members(members: list[Path], faces: Faces, tmp_path: Path) -> None:
    network, joint = ensemble.joined(members)
    network.save(tmp_path / "ensemble.keras")
    expected = np.mean([believed(path, faces) for path in members], axis=0)
    np.testing.assert_allclose(believed(tmp_path / "ensemble.keras", faces), expected, atol=1e-5)
    assert (joint.recipe, joint.labels, joint.protocol) == ("ensemble", list(ORIGINAL.labels), "fer7")


def test_members_that_do_not_belong_together_are_refused(members: list[Path], tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="two members at least"):
        ensemble.joined(members[:1])
    other = saved(tmp_path / "plain.keras", 3, record(ORIGINAL.labels, "fer7", per_image=False))
    with pytest.raises(BadInput, match=r"plain\.keras and .* are not fed alike"):
        ensemble.joined([*members, other])
    fewer = saved(tmp_path / "fewer.keras", 3, record(PROTOCOLS["fer4"], "fer4"))
    with pytest.raises(BadInput, match=r"fewer\.keras answers neutral happy surprise sad, "):
        ensemble.joined([*members, fewer])


def test_a_file_teaches_the_head_whose_labels_it_answers(members: list[Path], faces: Faces, tmp_path: Path) -> None:
    teacher = teachers.opened(members[0], HEADS)
    assert teacher.heads == {"original"}
    np.testing.assert_allclose(teacher.answer(faces.pixels)["original"], believed(members[0], faces), atol=1e-5)
    view_targets = teachers.ask([teacher], faces, HEADS, 1, 0, tmp_path / "lessons", Recorder())
    everyone = np.arange(len(faces))
    rows = view_targets(1, everyone)
    # Nobody teaches the votes: people alone do.
    np.testing.assert_array_equal(rows["votes"], targets(faces, HEADS[0]))
    assert np.abs(rows["original"] - targets(faces, ORIGINAL)).max() > 0.1


def test_a_file_that_answers_something_else_is_refused(tmp_path: Path) -> None:
    fewer = saved(tmp_path / "fewer.keras", 3, record(PROTOCOLS["fer4"], "fer4"))
    with pytest.raises(BadInput, match=r"a teacher answers one of neutral happy .* not_a_face \(votes\); "):
        teachers.opened(fewer, HEADS)
    (tmp_path / "x.keras").write_bytes(b"a letter")
    with pytest.raises(BadInput, match=r"x\.keras is no \.keras file"):
        teachers.opened(tmp_path / "x.keras", HEADS)


def test_the_checksum_does_not_depend_on_the_order(members: list[Path]) -> None:
    assert teachers.checksum(members) == teachers.checksum(members[::-1]) != teachers.checksum(members[:1])
    assert teachers.checksum([]) == ""


@pytest.fixture(scope="module")
def three() -> Faces:
    """Three faces: with votes and a label, with votes alone, and with neither."""
    votes = np.zeros((3, len(VOTES)), np.uint8)
    votes[0, VOTES.index("happy")] = votes[1, VOTES.index("sad")] = 10
    pixels = np.random.default_rng(1).integers(0, 256, (3, 48, 48), dtype=np.uint8)
    return Faces(pixels, np.array([3, -1, -1], np.int8), votes)


@pytest.fixture(scope="module")
def networks(small_recipes: dict[str, OwnRecipe]) -> list[keras.Model]:
    keras.utils.set_random_seed(0)
    return [built(small_recipes["teacher"], HEADS) for _ in range(2)]


def ask(networks: list[keras.Model], faces: Faces, folder: Path, views: int = 2) -> tuple[ViewTargets, Recorder]:
    steps = Recorder()
    masters = [teachers.teacher_of(network, HEADS, INPUT) for network in networks]
    return teachers.ask(masters, faces, HEADS, views, SEED, folder, steps), steps


def test_a_target_is_the_teachers_mean_and_what_people_said(
    networks: list[keras.Model], three: Faces, tmp_path: Path
) -> None:
    view_targets, steps = ask(networks, three, tmp_path / "lessons")
    assert steps.advances == [1, 1]
    indices = np.array([2, 0])
    for view in (1, 2):
        rows = view_targets(view, indices)
        inputs = model_inputs(augmented(three, indices, view, SEED, pose), INPUT)
        for head in HEADS:
            of_teachers = np.mean(
                [softmax(np.float64(network.predict_on_batch(inputs)[head.name])) for network in networks], axis=0
            )
            # The first of them has neither votes nor a label: only the teachers speak.
            np.testing.assert_allclose(rows[head.name][0], of_teachers[0], atol=2e-3)
            expected = 0.7 * of_teachers[1] + 0.3 * targets(three, head)[0]
            np.testing.assert_allclose(rows[head.name][1], expected, atol=2e-3)
            np.testing.assert_allclose(rows[head.name].sum(axis=1), 1, atol=5e-3)


def test_views_differ_and_so_do_the_view_targets(networks: list[keras.Model], three: Faces, tmp_path: Path) -> None:
    view_targets, _ = ask(networks, three, tmp_path / "lessons")
    everyone = np.arange(3)
    assert np.abs(view_targets(1, everyone)["votes"] - view_targets(2, everyone)["votes"]).max() > 1e-4


def test_what_was_asked_before_is_not_asked_again(networks: list[keras.Model], three: Faces, tmp_path: Path) -> None:
    folder = tmp_path / "lessons"
    ask(networks, three, folder, views=1)
    before = (folder / "view-01.npy").stat().st_mtime_ns
    _, steps = ask(networks, three, folder, views=2)
    assert steps.advances == [1, 1]
    assert (folder / "view-01.npy").stat().st_mtime_ns == before
    assert sorted(file.name for file in folder.iterdir()) == ["view-01.npy", "view-02.npy"]


@pytest.mark.parametrize("content", [b"", b"a letter", b"\x93NUMPY\x01\x00"])
def test_a_damaged_answer_is_named(networks: list[keras.Model], three: Faces, tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "lessons"
    ask(networks, three, folder, views=1)
    (folder / "view-01.npy").write_bytes(content)
    with pytest.raises(BadInput, match=r"view-01\.npy is damaged"):
        ask(networks, three, folder, views=1)


def test_answers_about_other_faces_are_refused(networks: list[keras.Model], three: Faces, tmp_path: Path) -> None:
    ask(networks, three, tmp_path / "lessons", views=1)
    with pytest.raises(BadInput, match="other faces"):
        ask(networks, three.take(np.arange(2)), tmp_path / "lessons", views=1)
