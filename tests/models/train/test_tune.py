import json
from pathlib import Path

import pytest

pytest.importorskip("keras_tuner", reason="searching needs the extra train")
pytest.importorskip("tensorboard", reason="searching needs the extra train")

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from cuelens_models.data.load import FaceData, load
from cuelens_models.errors import BadInput
from cuelens_models.progress import Recorder
from cuelens_models.train.budget import Schedule
from cuelens_models.train.tune import Trial, tune
from cuelens_models.zoo.published import RECIPES
from cuelens_models.zoo.recipe import Tuned, read_tuned, tuned

# Keras saves its variables through h5py, which asks them for an array in the way of numpy 1.
# KerasTuner asks threads for their names in an old way.
pytestmark = [
    pytest.mark.usefixtures("eager"),
    pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions_eagerly`:UserWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:(currentThread|getName|setDaemon|isDaemon):DeprecationWarning"),
]

RECIPE = RECIPES["vgg-blocks-1"]
SCHEDULE = Schedule(RECIPE.name, epochs=1, teachers=0, teacher_epochs=0, seed=0, precision="float32")


class Stopped(BaseException):
    """What ends a search here, where a person would press Ctrl-C."""


class StopsInTheSecondTrial(Recorder):
    def stage(self, name: str, count: int = 0) -> None:
        super().stage(name, count)
        if sum(stage.startswith("trial") for stage, _ in self.stages) == 2:
            raise Stopped


@pytest.fixture(scope="module")
def data(synthetic_npz: Path) -> FaceData:
    return load(synthetic_npz)


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory, data: FaceData) -> tuple[Path, list[Trial]]:
    out = tmp_path_factory.mktemp("tuned")
    return out, tune(data, RECIPE, out, "random", 2, SCHEDULE, Recorder())


def test_trials_come_best_first_and_the_best_values_are_kept(searched: tuple[Path, list[Trial]]) -> None:
    out, finished = searched
    assert len(finished) == 2
    assert finished[0].accuracy >= finished[1].accuracy
    assert read_tuned(out / "best.json") == finished[0].values
    for trial in finished:
        curve = json.loads((out / f"trial-{trial.number}" / "curve.json").read_text())
        assert curve[0]["accuracy"]["fer7"] == trial.accuracy
        assert 0.001 <= trial.values.rate <= 0.1


def test_a_seed_of_0_is_a_seed(searched: tuple[Path, list[Trial]], data: FaceData, tmp_path: Path) -> None:
    again = tune(data, RECIPE, tmp_path / "again", "random", 2, SCHEDULE, Recorder())
    assert {trial.values for trial in again} == {trial.values for trial in searched[1]}


def test_tensorboard_reads_every_trial(searched: tuple[Path, list[Trial]]) -> None:
    out, finished = searched
    logs = {log.name.partition(" ")[0]: log for log in (out / "tensorboard").iterdir()}
    assert set(logs) == {trial.number for trial in finished}
    for trial in finished:
        events = EventAccumulator(str(logs[trial.number])).Reload()
        (point,) = events.Tensors("accuracy of fer7 on the inner split")
        assert point.tensor_proto.float_val[0] == pytest.approx(trial.accuracy)


def test_a_search_goes_on_where_it_was_stopped(data: FaceData, tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        tune(data, RECIPE, tmp_path / "run", "random", 2, SCHEDULE, StopsInTheSecondTrial())
    steps = Recorder()
    finished = tune(data, RECIPE, tmp_path / "run", "random", 2, SCHEDULE, steps)
    assert len(finished) == 2
    assert len(steps.lines) == 1


@pytest.mark.parametrize("search", ["grid", "bayesian"])
def test_other_searches_try_what_they_are_to(data: FaceData, tmp_path: Path, search: str) -> None:
    (trial,) = tune(data, RECIPE, tmp_path / "run", search, 1, SCHEDULE, Recorder())
    assert trial.values.batch in (32, 64, 128)


def test_another_search_in_the_same_folder_is_refused(searched: tuple[Path, list[Trial]], data: FaceData) -> None:
    with pytest.raises(BadInput, match="another"):
        tune(data, RECIPE, searched[0], "grid", 2, SCHEDULE, Recorder())


def test_a_tuned_recipe_has_the_values_found() -> None:
    changed = tuned(RECIPES["four-class"], Tuned(0.02, 128, 0.5))
    assert float(changed.optimizer().learning_rate) == pytest.approx(0.02)
    assert changed.batch == 128
    assert changed.movement is not None
    assert (changed.movement.turn, changed.movement.flip) == (10, True)
    assert tuned(RECIPES["elu-6"], Tuned(0.02, 128, 0.0)).movement is None


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        '{"rate": 1}',
        "[1]",
        '{"rate": "a", "batch": 1, "movement": 0}',
        '{"rate": 0, "batch": 1, "movement": 0}',
        '{"rate": -0.1, "batch": 1, "movement": 0}',
        '{"rate": 1e999, "batch": 1, "movement": 0}',
        '{"rate": 0.1, "batch": 0, "movement": 0}',
        '{"rate": 0.1, "batch": 1, "movement": -0.1}',
        '{"rate": 0.1, "batch": 1, "movement": 1.1}',
    ],
)
def test_a_file_that_says_nothing_of_the_kind_is_bad_input(tmp_path: Path, content: str) -> None:
    (tmp_path / "best.json").write_text(content)
    with pytest.raises(BadInput, match="is not what tune-model writes"):
        read_tuned(tmp_path / "best.json")
    with pytest.raises(BadInput, match="cannot be read"):
        read_tuned(tmp_path / "absent.json")
