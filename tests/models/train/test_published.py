import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras", reason="training needs the extra train")

import keras

from cuelens_models.bundle import training_record
from cuelens_models.bundle.preprocess import model_inputs
from cuelens_models.bundle.training_record import CurvePoint
from cuelens_models.data.load import FaceData, load
from cuelens_models.data.protocols import label
from cuelens_models.errors import BadInput
from cuelens_models.progress import Recorder
from cuelens_models.train.budget import Schedule
from cuelens_models.train.published import fed_to, learn_published, rate_after, scaled_published, stopped, task_of
from cuelens_models.train.targets import shares_of_votes
from cuelens_models.zoo.blocks import convolution
from cuelens_models.zoo.published import RECIPES
from cuelens_models.zoo.recipe import HEAD, Plateau

# Keras saves its variables through h5py, which asks them for an array in the way of numpy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SCHEDULE = Schedule("four-class-norm", epochs=2, teachers=0, teacher_epochs=0, seed=0, precision="float32")


def small(labels: int) -> keras.Model:
    """What four-class-norm has, smaller: convolutions with batch norm, dense layers with dropout."""
    face = keras.Input((48, 48, 1), name="face")
    x = convolution(face, "conv1", 8, size=5, stride=4)
    x = keras.layers.MaxPooling2D(2)(x)
    x = keras.layers.Dense(8, activation="relu")(keras.layers.Flatten()(x))
    x = keras.layers.Dropout(0.25)(x)
    return keras.Model(face, {HEAD: keras.layers.Dense(labels, dtype="float32", name=HEAD)(x)}, name="four_class")


RECIPE = replace(RECIPES[SCHEDULE.recipe], build=small)


class Stopped(Exception):
    """What ends a training between two epochs here, where a person would press Ctrl-C."""


class StopsAfterAnEpoch(Recorder):
    def line(self, text: str) -> None:
        raise Stopped


@pytest.fixture(scope="module")
def data(synthetic_npz: Path) -> FaceData:
    return load(synthetic_npz)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, data: FaceData) -> tuple[Path, list[CurvePoint]]:
    folder = tmp_path_factory.mktemp("runs") / "whole"
    return folder, learn_published(data, folder, RECIPE, SCHEDULE, Recorder())[1]


def untimed(curve: list[CurvePoint]) -> list[tuple[int, float, dict[str, float], float | None]]:
    return [(point.number, point.loss, point.accuracy, point.inner_loss) for point in curve]


def test_the_result_says_how_it_was_trained_and_is_the_best_epoch(
    whole: tuple[Path, list[CurvePoint]], data: FaceData
) -> None:
    folder, curve = whole
    record = training_record.read(folder / "four-class-norm.keras")
    assert record is not None
    assert (record.recipe, record.protocol, record.labels) == (
        "four-class-norm",
        "fer4",
        ["neutral", "happy", "surprise", "sad"],
    )
    assert (record.epochs, record.seed, record.curve) == (2, 0, curve)
    assert record.float_input(48, 48, 1) == fed_to(RECIPE)
    assert keras.backend.backend() in record.device
    assert record.enter is not None
    assert list(record.enter) == record.labels
    assert all(0 <= threshold <= 1 for threshold in record.enter.values())
    network = keras.models.load_model(folder / "four-class-norm.keras", compile=False)
    inner = label(data.inner, "fer4")
    answers = network.predict(model_inputs(data.inner.pixels[inner.indices], fed_to(RECIPE)), verbose=0)
    accuracy = float((answers.argmax(axis=1) == inner.truth).mean())
    assert accuracy == max(point.accuracy["fer4"] for point in curve)


def test_what_was_trained_in_bfloat16_is_written_to_compute_in_float32(data: FaceData, tmp_path: Path) -> None:
    schedule = replace(SCHEDULE, epochs=1, precision="bfloat16")
    learn_published(data, tmp_path / "run", RECIPE, schedule, Recorder())
    network = keras.models.load_model(tmp_path / "run" / "four-class-norm.keras", compile=False)
    assert {layer.compute_dtype for layer in network.layers} == {"float32"}


def test_a_stopped_training_goes_on_after_its_last_whole_epoch(
    whole: tuple[Path, list[CurvePoint]], data: FaceData, tmp_path: Path
) -> None:
    with pytest.raises(Stopped):
        learn_published(data, tmp_path / "run", RECIPE, SCHEDULE, StopsAfterAnEpoch())
    assert not (tmp_path / "run" / "four-class-norm.keras").exists()
    _, curve = learn_published(data, tmp_path / "run", RECIPE, SCHEDULE, Recorder())
    assert untimed(curve)[0] == untimed(whole[1])[0]
    assert curve[1].loss == pytest.approx(whole[1][1].loss, rel=1e-4)
    assert curve[1].inner_loss == pytest.approx(whole[1][1].inner_loss, rel=1e-4)


def test_a_finished_training_is_not_done_again(whole: tuple[Path, list[CurvePoint]], data: FaceData) -> None:
    folder, curve = whole
    before = (folder / "four-class-norm.keras").read_bytes()
    steps = Recorder()
    assert learn_published(data, folder, RECIPE, SCHEDULE, steps)[1] == curve
    assert (steps.advances, steps.lines) == ([], [])
    assert (folder / "four-class-norm.keras").read_bytes() == before


@pytest.mark.parametrize("left", [0, 1000])
def test_a_result_that_was_cut_short_is_written_again(
    whole: tuple[Path, list[CurvePoint]], data: FaceData, tmp_path: Path, left: int
) -> None:
    run = shutil.copytree(whole[0], tmp_path / "run")
    result = run / "four-class-norm.keras"
    result.write_bytes(result.read_bytes()[:left])
    assert learn_published(data, run, RECIPE, SCHEDULE, Recorder())[1] == whole[1]
    assert training_record.read(result) == training_record.read(whole[0] / "four-class-norm.keras")


def test_another_schedule_in_the_same_folder_is_refused(whole: tuple[Path, list[CurvePoint]], data: FaceData) -> None:
    for change in ({"epochs": 3}, {"seed": 1}, {"recipe": "four-class"}):
        with pytest.raises(BadInput, match="another training"):
            learn_published(data, whole[0], RECIPE, replace(SCHEDULE, **change), Recorder())


def test_a_budget_gives_at_most_the_published_epochs(data: FaceData, tmp_path: Path) -> None:
    assert scaled_published(RECIPE, SCHEDULE, data, tmp_path / "little", 0.001).epochs == 1
    assert scaled_published(RECIPE, SCHEDULE, data, tmp_path / "much", 1e6).epochs == SCHEDULE.epochs
    assert scaled_published(RECIPE, SCHEDULE, data, tmp_path / "little", 0.001).epochs == 1
    with pytest.raises(BadInput, match="another training"):
        scaled_published(RECIPE, SCHEDULE, data, tmp_path / "little", 60)


def test_a_training_ends_when_its_patience_does(data: FaceData, tmp_path: Path) -> None:
    impatient = replace(RECIPES["vgg-blocks-1"], patience=1, optimizer=lambda: keras.optimizers.SGD(0.0))
    schedule = replace(SCHEDULE, recipe=impatient.name, epochs=5)
    _, curve = learn_published(data, tmp_path / "run", impatient, schedule, Recorder())
    assert [point.number for point in curve] == [1, 2]
    assert learn_published(data, tmp_path / "run", impatient, schedule, Recorder())[1] == curve


@pytest.mark.parametrize(
    ("losses", "patience", "ended"),
    [
        ([], 2, False),
        ([1.0], 2, False),
        ([1.0, 1.0], 2, False),
        ([1.0, 1.0, 1.0], 2, True),
        ([1.0, 0.99995, 0.99995], 2, True),
        ([1.0, 1.1, 0.9], 2, False),
        ([1.0, 1.1, 0.9, 1.0, 0.95], 2, True),
        ([1.0] * 50, None, False),
    ],
)
def test_patience_counts_the_epochs_without_a_lower_loss(
    losses: list[float], patience: int | None, ended: bool
) -> None:
    assert stopped(losses, patience) is ended


@pytest.mark.parametrize("seed", range(5))
def test_the_learning_rate_falls_when_that_of_keras_does(seed: int) -> None:
    plateau = Plateau(factor=0.5, patience=3)
    losses = (1 + 0.2 * np.random.default_rng(seed).standard_normal(40)).tolist()
    theirs = keras.callbacks.ReduceLROnPlateau(monitor="loss", factor=0.5, patience=3, min_delta=1e-4)
    network = keras.Sequential([keras.layers.Dense(1)])
    network.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse")
    theirs.set_model(network)
    theirs.on_train_begin()
    for epoch, loss in enumerate(losses):
        assert rate_after(losses[:epoch], 0.1, plateau) == pytest.approx(float(network.optimizer.learning_rate))
        theirs.on_epoch_end(epoch, {"loss": loss})
    assert rate_after(losses, 0.1, plateau) < 0.1
    assert rate_after(losses, 0.1, None) == 0.1


def test_votes_are_learned_as_distributions_with_contempt_among_neutral(made_up_faces: Callable[..., object]) -> None:
    faces = made_up_faces(8, 0)
    faces.votes[:] = 0
    faces.votes[0, [0, 7, 1]] = 4, 2, 3
    faces.votes[1, [1, 8]] = 5, 5
    faces.votes[2, 9] = 10
    faces.votes[3, [1, 2]] = 9, 1
    shares = shares_of_votes(faces, PROTOCOLS7)
    np.testing.assert_allclose(shares[0], [6 / 9, 3 / 9, 0, 0, 0, 0, 0])
    np.testing.assert_allclose(shares[1], [0, 1, 0, 0, 0, 0, 0])
    assert shares[2].sum() == 0
    np.testing.assert_allclose(shares[3], [0, 1, 0, 0, 0, 0, 0])


PROTOCOLS7 = ("neutral", "happy", "surprise", "sad", "angry", "disgust", "fear")


def test_a_task_has_the_faces_that_count_under_the_protocol(data: FaceData, tmp_path: Path) -> None:
    voted = task_of(data, RECIPES["ferplus-bn"], tmp_path)
    assert len(voted.learned) == len(voted.targets) == len(data.training)
    four = task_of(data, RECIPES["four-class"], tmp_path)
    assert len(four.learned) == len(label(data.training, "fer4").indices) < len(data.training)
    np.testing.assert_array_equal(four.targets.sum(axis=1), 1)
    np.testing.assert_array_equal(four.inner_targets.argmax(axis=1), four.inner.truth)
