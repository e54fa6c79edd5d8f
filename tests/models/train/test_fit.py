import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

pytest.importorskip("keras", reason="training needs the extra train")

import keras

from cuelens_models.bundle import training_record
from cuelens_models.bundle.expressions import LABELS, NOT_A_FACE
from cuelens_models.bundle.training_record import CurvePoint
from cuelens_models.data.faces import Faces
from cuelens_models.data.load import FaceData, load
from cuelens_models.errors import BadInput, Unwritable
from cuelens_models.evaluate.metrics import fit_biases
from cuelens_models.train.batches import Views, said_by_people
from cuelens_models.train.fit import Plan, Progress, built, fed, folder_of, heads_for, train
from cuelens_models.train.targets import HEADS, ORIGINAL, VOTES
from cuelens_models.train.validation import Judge

# Keras saves its variables through h5py, which asks them for an array in the way of numpy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Heard = list[Progress | CurvePoint]
Whole = tuple[Path, list[CurvePoint], Heard]
PLAN = Plan("cuelens", epochs=2, seed=0)


class Stopped(Exception):
    """What ends a training between two epochs here, where a person would press Ctrl-C."""


@pytest.fixture(scope="module")
def data(synthetic_npz: Path) -> FaceData:
    return load(synthetic_npz)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, data: FaceData) -> Whole:
    """A training of two epochs that nothing stopped: its result, its curve, and what it said meanwhile."""
    heard: Heard = []
    folder = tmp_path_factory.mktemp("runs") / "whole"
    return folder, trained(data, folder, heard.append), heard


def trained(
    data: FaceData, out: Path, say: Callable[[Progress | CurvePoint], None], plan: Plan = PLAN
) -> list[CurvePoint]:
    batches = views(data)
    return train(data, batches, folder_of(data, out, plan), plan, say)


def views(data: FaceData, seed: int = 0) -> Views:
    return Views(data.training, fed(), seed, said_by_people(data.training, heads_for(data)))


def test_a_training_ends_with_keras_files_that_say_how_to_feed_them(whole: Whole) -> None:
    folder, curve, _ = whole
    for name, labels, protocol in (
        ("cuelens", [*LABELS, NOT_A_FACE], "ferplus8"),
        ("cuelens-fer7", list(LABELS[:7]), "fer7"),
    ):
        said = training_record.read(folder / f"{name}.keras")
        assert said is not None
        assert (said.recipe, said.labels, said.protocol) == (name, labels, protocol)
        assert (said.epochs, said.seed, said.curve) == (2, 0, curve)
        assert said.float_input(48, 48, 1) == fed()
        network = keras.models.load_model(folder / f"{name}.keras", compile=False)
        assert network.outputs[0].shape == (None, len(labels))


def test_the_result_is_the_best_epoch_of_the_averaged_weights(whole: Whole, data: FaceData) -> None:
    folder, curve, _ = whole
    best = keras.models.load_model(folder / "best.keras", compile=False)
    found = {head.protocol: Judge(data.inner, head, fed()).accuracy(best) for head in HEADS}
    assert found in [point.accuracy for point in curve]
    assert sum(found.values()) == max(sum(point.accuracy.values()) for point in curve)


def test_what_is_exported_is_the_result_with_biases_that_suit_clear_faces(whole: Whole, data: FaceData) -> None:
    folder, _, _ = whole
    best = keras.models.load_model(folder / "best.keras", compile=False)
    for head in HEADS:
        exported = keras.models.load_model(folder / f"cuelens{head.suffix}.keras", compile=False)
        kernel, bias = best.get_layer(head.name).get_weights()
        kernel_out, bias_out = exported.get_layer(head.name).get_weights()
        np.testing.assert_array_equal(kernel_out, kernel)
        judge = Judge(data.training, head, fed())
        wanted = fit_biases(judge.logits(best), judge.truth)
        np.testing.assert_allclose((bias_out - bias)[: judge.asked], wanted, atol=1e-4)
        np.testing.assert_array_equal(bias_out[judge.asked :], bias[judge.asked :])


def test_the_curve_kept_in_the_folder_is_the_curve_returned(whole: Whole) -> None:
    folder, curve, _ = whole
    assert msgspec.json.decode((folder / "curve.json").read_bytes(), type=list[CurvePoint]) == curve
    assert [point.number for point in curve] == [1, 2]
    assert [set(point.accuracy) for point in curve] == [{"ferplus8", "fer7"}] * 2


def test_every_step_and_epoch_is_told_in_order(whole: Whole, data: FaceData) -> None:
    _, curve, heard = whole
    steps = len(views(data))
    expected = [step / steps + epoch for epoch in range(2) for step in range(1, steps + 1)]
    assert [news.done for news in heard if isinstance(news, Progress)] == pytest.approx(expected)
    assert [news for news in heard if isinstance(news, CurvePoint)] == curve


def test_a_stopped_training_goes_on_after_its_last_whole_epoch(tmp_path: Path, data: FaceData, whole: Whole) -> None:
    _, uninterrupted, _ = whole

    def stop(news: Progress | CurvePoint) -> None:
        if isinstance(news, CurvePoint):
            raise Stopped

    with pytest.raises(Stopped):
        trained(data, tmp_path / "run", stop)
    assert not (tmp_path / "run" / "cuelens.keras").exists()

    heard: Heard = []
    curve = trained(data, tmp_path / "run", heard.append)
    assert min(news.done for news in heard if isinstance(news, Progress)) > 1
    assert (tmp_path / "run" / "cuelens.keras").exists()
    assert curve[0] == uninterrupted[0]
    assert curve[1].loss == pytest.approx(uninterrupted[1].loss, rel=1e-5)
    assert curve[1].accuracy == uninterrupted[1].accuracy
    for kept, expected in zip(
        keras.models.load_model(tmp_path / "run" / "best.keras").get_weights(),
        keras.models.load_model(whole[0] / "best.keras").get_weights(),
        strict=True,
    ):
        np.testing.assert_allclose(kept, expected, rtol=1e-5, atol=1e-6)

    again: Heard = []
    assert trained(data, tmp_path / "run", again.append) == curve
    assert again == []


@pytest.mark.parametrize("change", [{"epochs": 3}, {"seed": 1}, {"recipe": "teacher"}, {"precision": "bfloat16"}])
def test_another_plan_in_the_same_folder_is_refused_and_changes_nothing(
    data: FaceData, whole: Whole, change: dict[str, object]
) -> None:
    folder = whole[0]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(BadInput, match="another training"):
        trained(data, folder, lambda news: None, replace(PLAN, **change))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("name", ["plan.json", "curve.json"])
@pytest.mark.parametrize("content", [b"", b"{", b'[{"number": 1}]', b'["x"]', b'{"\xff": 1}'])
def test_a_damaged_training_folder_is_bad_input(
    tmp_path: Path, data: FaceData, whole: Whole, name: str, content: bytes
) -> None:
    shutil.copytree(whole[0], tmp_path / "run")
    (tmp_path / "run" / name).write_bytes(content)
    with pytest.raises(BadInput, match="choose another --out"):
        trained(data, tmp_path / "run", lambda news: None)


@pytest.mark.parametrize("place", ["file", "file/run", "/proc/run"])
def test_a_folder_that_cannot_be_written_is_said_before_any_training(
    tmp_path: Path, data: FaceData, place: str
) -> None:
    (tmp_path / "file").write_text("x")
    heard: Heard = []
    with pytest.raises(Unwritable, match="cannot be written"):
        trained(data, tmp_path / place, heard.append)
    assert heard == []
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.parametrize(
    ("votes", "labels", "expected"), [(True, True, HEADS), (True, False, (VOTES,)), (False, True, (ORIGINAL,))]
)
def test_a_network_answers_what_the_data_has_labels_for(
    made_up_faces: Callable[[int, int], Faces], votes: bool, labels: bool, expected: tuple[object, ...]
) -> None:
    faces = made_up_faces(40, 0)
    kept = Faces(
        faces.pixels,
        faces.emotion if labels else np.full(40, -1, np.int8),
        faces.votes if votes else np.zeros_like(faces.votes),
    )
    assert heads_for(FaceData("some", kept, kept, kept, "some", ())) == expected


def test_faces_that_nobody_said_anything_of_cannot_be_learned_from(
    made_up_faces: Callable[[int, int], Faces],
) -> None:
    faces = made_up_faces(40, 0)
    bare = Faces(faces.pixels, np.full(40, -1, np.int8), np.zeros_like(faces.votes))
    with pytest.raises(BadInput, match="neither votes nor original labels"):
        heads_for(FaceData("bare", bare, bare, bare, "bare", ()))


@pytest.mark.parametrize("recipe", ["cuelens", "teacher"])
def test_lower_precision_is_for_the_arithmetic_not_for_the_answers(recipe: str) -> None:
    network = built(recipe, HEADS, "bfloat16")
    assert network.get_layer("conv32_down_conv" if recipe == "teacher" else "layer1_conv").compute_dtype == "bfloat16"
    assert {network.get_layer(head.name).compute_dtype for head in HEADS} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"
