import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import msgspec
import numpy as np
import pytest

pytest.importorskip("keras", reason="training needs the extra train")
pytest.importorskip("skimage", reason="backgrounds are cut from the pictures of scikit-image (extra train)")

import keras

from cuelens_models.bundle import training_record
from cuelens_models.bundle.expressions import LABELS, NOT_A_FACE
from cuelens_models.bundle.training_record import CurvePoint
from cuelens_models.data.backgrounds import backgrounds
from cuelens_models.data.faces import Faces, concatenate
from cuelens_models.data.load import FaceData, load
from cuelens_models.errors import BadInput, Unwritable
from cuelens_models.evaluate.metrics import fit_biases
from cuelens_models.progress import Recorder
from cuelens_models.train.batches import batches_of, human_targets
from cuelens_models.train.budget import Schedule
from cuelens_models.train.distilled import RECIPES, built, compiled, folder_of, learn, scaled
from cuelens_models.train.epochs import Judge
from cuelens_models.train.targets import HEADS, ORIGINAL, VOTES, Head, heads_for, heads_of
from cuelens_models.zoo import cuelens
from cuelens_models.zoo.pretrained import Pretrained
from cuelens_models.zoo.recipe import OwnRecipe

# Keras saves its variables through h5py, which asks them for an array in the way of numpy 1.
pytestmark = [
    pytest.mark.usefixtures("eager"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions_eagerly`:UserWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]

Recipes = dict[str, OwnRecipe]
Whole = tuple[Path, list[CurvePoint], Recorder]
Learn = Callable[..., list[CurvePoint]]

SCHEDULE = Schedule("cuelens", epochs=2, teachers=1, teacher_epochs=1, seed=0, precision="float32")
ALONE = replace(SCHEDULE, teachers=0, teacher_epochs=0)
KERNEL = np.random.default_rng(0).normal(0, 0.1, (3, 3, 8, 16)).astype(np.float32)
WEIGHTS = Pretrained(Path("weights.json"), {"layer2": KERNEL}, "the checksum of the weights")


class Stopped(Exception):
    """What ends a training between two epochs here, where a person would press Ctrl-C."""


class StopsAfterAnEpoch(Recorder):
    def line(self, text: str) -> None:
        raise Stopped


@pytest.fixture(scope="module")
def data(synthetic_npz: Path) -> FaceData:
    return load(synthetic_npz)


@pytest.fixture(scope="module")
def learned(data: FaceData, small_recipes: Recipes) -> Learn:
    """Trains a small network, and returns its curve."""

    def learned(
        out: Path, steps: Recorder, schedule: Schedule = ALONE, pretrained: Pretrained | None = None
    ) -> list[CurvePoint]:
        return learn(data, out, schedule, steps, pretrained=pretrained, recipes=small_recipes)[1]

    return learned


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory, learned: Learn) -> Whole:
    """A training of two epochs after a teacher that begins from weights: its folder, its curve, and its reports."""
    steps = Recorder()
    folder = tmp_path_factory.mktemp("runs") / "taught"
    return folder, learned(folder, steps, SCHEDULE, WEIGHTS), steps


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, learned: Learn) -> Whole:
    """A training of two epochs that nothing stopped: its folder, its curve, and its reports."""
    steps = Recorder()
    folder = tmp_path_factory.mktemp("runs") / "whole"
    return folder, learned(folder, steps), steps


def test_teachers_come_first_and_nothing_is_done_twice(taught: Whole, learned: Learn) -> None:
    folder, curve, steps = taught
    assert steps.stages == [
        ("gathering pictures of no face", 0),
        ("teacher 1 of 1", 1),
        ("asking the teachers", 2),
        ("cuelens", 2),
    ]
    assert [point.number for point in curve] == [1, 2]
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*")}
    assert {"cuelens.keras", "cuelens-fer7.keras", "teacher-1/teacher.keras", "lessons/view-02.npy"} <= written

    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*.keras")}
    again = Recorder()
    assert learned(folder, again, SCHEDULE, WEIGHTS) == curve
    assert again.lines == []
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*.keras")} == times


def test_a_plan_has_the_keys_by_which_an_older_training_is_resumed(taught: Whole, data: FaceData) -> None:
    common = {"data": data.name, "data_sha256": data.digest(), "heads": ["votes", "original"]}
    common |= {"precision": "float32", "began_from": WEIGHTS.sha256, "taught_by": ""}
    own = {"recipe": "cuelens", "epochs": 2, "seed": 0, "teachers": 1, "teacher_epochs": 1}
    assert json.loads((taught[0] / "plan.json").read_text()) == common | own
    teacher = {"recipe": "teacher", "epochs": 1, "seed": 1, "teachers": 0, "teacher_epochs": 0}
    assert json.loads((taught[0] / "teacher-1" / "plan.json").read_text()) == common | teacher


@pytest.mark.parametrize("change", [{"teachers": 2}, {"teachers": 0}, {"teacher_epochs": 2}])
def test_a_network_does_not_go_on_with_other_teachers(data: FaceData, tmp_path: Path, change: dict[str, int]) -> None:
    folder_of(data, tmp_path / "run", SCHEDULE)
    with pytest.raises(BadInput, match="another training"):
        learn(data, tmp_path / "run", replace(SCHEDULE, **change), Recorder())


def test_a_network_does_not_go_on_with_other_votes(data: FaceData, tmp_path: Path) -> None:
    folder_of(data, tmp_path / "run", SCHEDULE)
    votes = data.training.votes.copy()
    votes[0] = votes[1]
    others = replace(data, training=replace(data.training, votes=votes))
    with pytest.raises(BadInput, match="another training"):
        learn(others, tmp_path / "run", SCHEDULE, Recorder())


def test_teachers_begin_from_the_weights_that_are_given(taught: Whole, learned: Learn) -> None:
    # One epoch at a low rate moves them little; a fresh network shares nothing with them.
    for name, least, most in (("teacher-1", 0.9, 1.0), (".", -0.5, 0.5)):
        network = keras.models.load_model(taught[0] / name / "best.keras")
        (kernel,) = network.get_layer("layer2_conv").get_weights()
        assert least < np.corrcoef(kernel.ravel(), KERNEL.ravel())[0, 1] < most
    with pytest.raises(BadInput, match="another training"):
        learned(taught[0], Recorder(), SCHEDULE)


def test_without_teachers_people_alone_are_learned_from(whole: Whole) -> None:
    folder, curve, steps = whole
    assert len(curve) == 2
    assert not (folder / "lessons").exists()
    assert steps.stages == [("gathering pictures of no face", 0), ("cuelens", 2)]


def test_a_training_ends_with_keras_files_that_say_how_to_feed_them(whole: Whole) -> None:
    folder, curve, _ = whole
    for name, labels, protocol in (
        ("cuelens", [*LABELS, NOT_A_FACE], "ferplus8"),
        ("cuelens-fer7", list(LABELS[:7]), "fer7"),
    ):
        record = training_record.read(folder / f"{name}.keras")
        assert record is not None
        assert (record.recipe, record.labels, record.protocol) == (name, labels, protocol)
        assert (record.epochs, record.seed, record.curve) == (2, 0, curve)
        assert record.float_input(48, 48, 1) == cuelens.INPUT
        network = keras.models.load_model(folder / f"{name}.keras", compile=False)
        assert network.outputs[0].shape == (None, len(labels))


def test_the_result_is_the_best_epoch_of_the_averaged_weights(whole: Whole, data: FaceData) -> None:
    folder, curve, _ = whole
    best = keras.models.load_model(folder / "best.keras", compile=False)
    accuracy = {head.protocol: Judge(data.inner, head, cuelens.INPUT).accuracy(best) for head in HEADS}
    assert accuracy in [point.accuracy for point in curve]
    assert sum(accuracy.values()) == max(sum(point.accuracy.values()) for point in curve)


def test_what_is_exported_is_the_result_with_biases_that_suit_clear_faces(whole: Whole, data: FaceData) -> None:
    folder, _, _ = whole
    best = keras.models.load_model(folder / "best.keras", compile=False)
    for head in HEADS:
        exported = keras.models.load_model(folder / f"cuelens{head.suffix}.keras", compile=False)
        kernel, bias = best.get_layer(head.name).get_weights()
        kernel_out, bias_out = exported.get_layer(head.name).get_weights()
        np.testing.assert_array_equal(kernel_out, kernel)
        judge = Judge(data.training, head, cuelens.INPUT)
        expected = fit_biases(judge.logits(best), judge.truth)
        np.testing.assert_allclose((bias_out - bias)[: judge.labels], expected, atol=1e-4)
        np.testing.assert_array_equal(bias_out[judge.labels :], bias[judge.labels :])


def test_the_curve_kept_in_the_folder_is_the_curve_returned(whole: Whole) -> None:
    folder, curve, _ = whole
    assert msgspec.json.decode((folder / "curve.json").read_bytes(), type=list[CurvePoint]) == curve
    assert [point.number for point in curve] == [1, 2]
    assert [set(point.accuracy) for point in curve] == [{"ferplus8", "fer7"}] * 2


def test_every_step_and_epoch_is_told_in_order(whole: Whole, data: FaceData, small_recipes: Recipes) -> None:
    _, curve, steps = whole
    faces = concatenate(data.training, backgrounds(int(0.08 * len(data.training)), 0))
    batches = len(batches_of(small_recipes["cuelens"], faces, HEADS, 0, human_targets(faces, HEADS)))
    expected = [step / batches + epoch for epoch in range(2) for step in range(1, batches + 1)]
    np.testing.assert_allclose(np.cumsum(steps.advances), expected)
    assert steps.lines == [
        f"  epoch   {point.number}  loss {point.loss:.3f}  inner split:"
        f" ferplus8 {point.accuracy['ferplus8']:.1%}, fer7 {point.accuracy['fer7']:.1%}"
        for point in curve
    ]


def test_a_stopped_training_goes_on_after_its_last_whole_epoch(tmp_path: Path, learned: Learn, whole: Whole) -> None:
    _, uninterrupted, _ = whole
    with pytest.raises(Stopped):
        learned(tmp_path / "run", StopsAfterAnEpoch())
    assert not (tmp_path / "run" / "cuelens.keras").exists()

    steps = Recorder()
    curve = learned(tmp_path / "run", steps)
    assert steps.advances[0] == 1
    assert sum(steps.advances) == pytest.approx(2)
    assert (tmp_path / "run" / "cuelens.keras").exists()
    assert curve[0] == uninterrupted[0]
    assert curve[1].loss == pytest.approx(uninterrupted[1].loss, rel=1e-5)
    assert curve[1].accuracy == uninterrupted[1].accuracy
    for weights, expected in zip(
        keras.models.load_model(tmp_path / "run" / "best.keras").get_weights(),
        keras.models.load_model(whole[0] / "best.keras").get_weights(),
        strict=True,
    ):
        np.testing.assert_allclose(weights, expected, rtol=1e-5, atol=1e-6)

    again = Recorder()
    assert learned(tmp_path / "run", again) == curve
    assert (again.advances, again.lines) == ([], [])


@pytest.mark.parametrize("change", [{"epochs": 3}, {"seed": 1}, {"recipe": "teacher"}, {"precision": "bfloat16"}])
def test_another_plan_in_the_same_folder_is_refused_and_changes_nothing(
    learned: Learn, whole: Whole, change: dict[str, object]
) -> None:
    folder = whole[0]
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(BadInput, match="another training"):
        learned(folder, Recorder(), replace(ALONE, **change))
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_an_unfinished_training_of_another_network_is_refused(
    data: FaceData, tmp_path: Path, small_recipes: Recipes, learned: Learn
) -> None:
    with pytest.raises(Stopped):
        learned(tmp_path / "run", StopsAfterAnEpoch())
    wider = {"cuelens": replace(small_recipes["cuelens"], build=cuelens.RECIPE.build)}
    with pytest.raises(BadInput, match="another network: choose another --out"):
        learn(data, tmp_path / "run", ALONE, Recorder(), recipes=wider)


def test_a_finished_network_is_trained_further_from_where_it_stands(
    data: FaceData, tmp_path: Path, whole: Whole
) -> None:
    file = whole[0] / "cuelens.keras"
    further = replace(cuelens.further(file), views=1)
    assert further.goes_on_from == hashlib.sha256(file.read_bytes()).hexdigest()
    run, _ = learn(data, tmp_path / "run", replace(ALONE, epochs=1), Recorder(), recipes={"cuelens": further})
    before, after = (keras.models.load_model(path, compile=False) for path in (file, run.path / "cuelens.keras"))
    trained = keras.models.load_model(run.path / "best.keras", compile=False)
    kernel, moved, written = (each.get_layer("layer2_conv").get_weights()[0] for each in (before, trained, after))
    # A few steps at its low rate move a kernel by a hundredth; a fresh one would share nothing with it.
    assert 0 < np.abs(moved - kernel).max() < 0.01
    np.testing.assert_allclose(written, (kernel + moved) / 2, atol=1e-7)
    assert [path.name for path in run.path.glob("cuelens*.keras")] == ["cuelens.keras"]
    with pytest.raises(BadInput, match="another training"):
        learn(data, tmp_path / "run", replace(ALONE, epochs=1), Recorder())


def test_only_what_our_recipe_wrote_is_trained_further(data: FaceData, tmp_path: Path, whole: Whole) -> None:
    with pytest.raises(BadInput, match="is no network that train-model cuelens wrote"):
        cuelens.further(whole[0] / "best.keras")
    (tmp_path / "x.keras").write_text("a letter")
    with pytest.raises(BadInput, match=r"x\.keras is no \.keras file"):
        cuelens.further(tmp_path / "x.keras")
    other = replace(cuelens.further(whole[0] / "cuelens.keras"), head_weights={"smell": 1.0})
    with pytest.raises(BadInput, match="no labels that the network answers: smell"):
        heads_of(other, data)


def test_faces_besides_the_data_are_learned_from_and_not_asked_about(
    data: FaceData, tmp_path: Path, small_recipes: Recipes
) -> None:
    besides = data.training.take(np.arange(9))
    run, _ = learn(data, tmp_path / "run", SCHEDULE, Recorder(), recipes=small_recipes, besides=besides)
    plans = [json.loads((run.path / name / "plan.json").read_text()) for name in (".", "teacher-1")]
    assert [plan["besides_sha256"] for plan in plans] == [besides.digest()] * 2
    asked = len(np.load(run.path / "lessons" / "view-01.npy"))
    assert asked == len(data.training) + int(0.08 * len(data.training))
    with pytest.raises(BadInput, match="another training"):
        learn(data, tmp_path / "run", SCHEDULE, Recorder(), recipes=small_recipes)


def test_our_own_network_learns_from_mirror_images_without_dropout(data: FaceData, tmp_path: Path) -> None:
    """The recipe as it stands, for one epoch."""
    steps = Recorder()
    run, curve = learn(data, tmp_path / "run", replace(ALONE, epochs=1), steps)
    assert [point.number for point in curve] == [1]
    assert 1.0 < curve[0].loss < 10.0
    network = keras.models.load_model(run.path / "cuelens.keras", compile=False)
    assert network.get_layer("layer8_conv").filters == 224
    assert training_record.read(run.path / "cuelens-fer7.keras") is not None


@pytest.mark.parametrize(
    ("heads", "weights"), [(HEADS, {"votes": 0.2, "original": 0.0}), ((ORIGINAL,), {"original": 0.2})]
)
def test_mirror_images_are_compared_by_the_first_head(
    heads: tuple[Head, ...], weights: dict[str, float], small_recipes: Recipes
) -> None:
    network = compiled(small_recipes["cuelens"], heads, "float32", 10)
    assert {name: loss.weight for name, loss in network.loss.items()} == weights


@pytest.mark.parametrize("name", ["plan.json", "curve.json"])
@pytest.mark.parametrize("content", [b"", b"{", b'[{"number": 1}]', b'["x"]', b'{"\xff": 1}'])
def test_a_damaged_training_folder_is_bad_input(
    tmp_path: Path, learned: Learn, whole: Whole, name: str, content: bytes
) -> None:
    shutil.copytree(whole[0], tmp_path / "run")
    (tmp_path / "run" / name).write_bytes(content)
    with pytest.raises(BadInput, match="choose another --out"):
        learned(tmp_path / "run", Recorder())


@pytest.mark.parametrize("place", ["file", "file/run", "/proc/run"])
def test_a_folder_that_cannot_be_written_is_said_before_any_training(
    tmp_path: Path, learned: Learn, place: str
) -> None:
    (tmp_path / "file").write_text("x")
    steps = Recorder()
    with pytest.raises(Unwritable, match="cannot be written"):
        learned(tmp_path / place, steps)
    assert (steps.stages, steps.advances, steps.lines) == ([], [], [])
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.parametrize(
    ("votes", "labels", "expected"), [(True, True, HEADS), (True, False, (VOTES,)), (False, True, (ORIGINAL,))]
)
def test_a_network_answers_what_the_data_has_labels_for(
    made_up_faces: Callable[[int, int], Faces], votes: bool, labels: bool, expected: tuple[object, ...]
) -> None:
    faces = made_up_faces(40, 0)
    some = Faces(
        faces.pixels,
        faces.emotion if labels else np.full(40, -1, np.int8),
        faces.votes if votes else np.zeros_like(faces.votes),
    )
    assert heads_for(FaceData("some", some, some, some, "some", ())) == expected


def test_faces_that_nobody_said_anything_of_cannot_be_learned_from(
    made_up_faces: Callable[[int, int], Faces],
) -> None:
    faces = made_up_faces(40, 0)
    bare = Faces(faces.pixels, np.full(40, -1, np.int8), np.zeros_like(faces.votes))
    with pytest.raises(BadInput, match="neither votes nor original labels"):
        heads_for(FaceData("bare", bare, bare, bare, "bare", ()))


@pytest.mark.parametrize("recipe", ["cuelens", "teacher"])
def test_lower_precision_is_for_the_arithmetic_not_for_the_answers(recipe: str) -> None:
    network = built(RECIPES[recipe], HEADS, "bfloat16")
    assert network.get_layer("conv32_down_conv" if recipe == "teacher" else "layer1_conv").compute_dtype == "bfloat16"
    assert {network.get_layer(head.name).compute_dtype for head in HEADS} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"


def test_a_budget_scales_every_epoch_and_is_kept(data: FaceData, tmp_path: Path, small_recipes: Recipes) -> None:
    requested = replace(SCHEDULE, epochs=2_000_000, teacher_epochs=1_000_000)
    fitted = scaled(requested, data, tmp_path / "run", 1.0, small_recipes)
    assert fitted == replace(requested, epochs=fitted.epochs, teacher_epochs=fitted.teacher_epochs)
    assert 1 <= fitted.teacher_epochs <= fitted.epochs < requested.epochs
    assert fitted.epochs // 2 - 1 <= fitted.teacher_epochs <= fitted.epochs // 2 + 1
    # Measured again it would be another one: it is read.
    assert scaled(requested, data, tmp_path / "run", 1.0) == fitted
    with pytest.raises(BadInput, match="another training"):
        scaled(requested, data, tmp_path / "run", 2.0)
    with pytest.raises(BadInput, match="another training"):
        scaled(replace(requested, seed=1), data, tmp_path / "run", 1.0)


def test_faces_besides_the_data_count_in_a_budget(
    data: FaceData, tmp_path: Path, small_recipes: Recipes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cuelens_models.train.distilled.step_s", lambda network, batches: 0.01)
    requested = replace(ALONE, epochs=1_000_000)
    alone = scaled(requested, data, tmp_path / "alone", 600.0, small_recipes)
    beside = scaled(requested, data, tmp_path / "beside", 600.0, small_recipes, besides=len(data.training))
    assert alone.epochs == pytest.approx(2 * beside.epochs, abs=1)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"asked": 1}', json.dumps({"asked": {}, "scaled": 3})])
def test_a_damaged_schedule_is_bad_input(data: FaceData, tmp_path: Path, content: str) -> None:
    (tmp_path / "schedule.json").write_text(content)
    with pytest.raises(BadInput, match="choose another --out"):
        scaled(SCHEDULE, data, tmp_path, 60.0)


def test_a_schedule_with_fields_of_another_version_is_bad_input(data: FaceData, tmp_path: Path) -> None:
    request = {**asdict(SCHEDULE), "budget_s": 60.0, "data_sha256": data.digest()}
    (tmp_path / "schedule.json").write_text(json.dumps({"asked": request, "scaled": {"colour": 1}}))
    with pytest.raises(BadInput, match="damaged"):
        scaled(SCHEDULE, data, tmp_path, 60.0)
