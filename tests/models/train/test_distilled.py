import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("keras", reason="training needs the extra train")
pytest.importorskip("skimage", reason="backgrounds are cut from the pictures of scikit-image (extra train)")

import keras

from cuelens_models.bundle.training_record import CurvePoint
from cuelens_models.data.load import FaceData, load
from cuelens_models.errors import BadInput
from cuelens_models.train.budget import Schedule
from cuelens_models.train.distilled import Stage, learn, scaled
from cuelens_models.train.fit import Plan, Progress, folder_of
from cuelens_models.zoo.pretrained import read

# Keras saves its variables through h5py, which asks them for an array in the way of numpy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Arrays = Mapping[str, NDArray[np.float32]]

SCHEDULE = Schedule("cuelens", epochs=2, teachers=1, teacher_epochs=1, seed=0, precision="float32")


@pytest.fixture(scope="module")
def data(synthetic_npz: Path) -> FaceData:
    return load(synthetic_npz)


def test_teachers_come_first_and_nothing_is_done_twice(data: FaceData, tmp_path: Path) -> None:
    heard: list[Stage | Progress | CurvePoint] = []
    run, curve = learn(data, tmp_path / "run", SCHEDULE, heard.append)
    assert [news for news in heard if isinstance(news, Stage)] == [
        Stage("gathering pictures of no face", 0),
        Stage("teacher 1 of 1", 1),
        Stage("asking the teachers", 2),
        Stage("cuelens", 2),
    ]
    assert [point.number for point in curve] == [1, 2]
    made = {path.relative_to(run.path).as_posix() for path in run.path.rglob("*")}
    assert {"cuelens.keras", "cuelens-fer7.keras", "teacher-1/teacher.keras", "lessons/view-02.npy"} <= made

    times = {path: path.stat().st_mtime_ns for path in run.path.rglob("*.keras")}
    heard.clear()
    assert learn(data, tmp_path / "run", SCHEDULE, heard.append)[1] == curve
    assert not any(isinstance(news, CurvePoint) for news in heard)
    assert {path: path.stat().st_mtime_ns for path in run.path.rglob("*.keras")} == times


@pytest.mark.parametrize("change", [{"teachers": 2}, {"teachers": 0}, {"teacher_epochs": 2}])
def test_a_network_does_not_go_on_with_other_teachers(data: FaceData, tmp_path: Path, change: dict[str, int]) -> None:
    folder_of(data, tmp_path / "run", Plan(**asdict(SCHEDULE)))
    with pytest.raises(BadInput, match="another training"):
        learn(data, tmp_path / "run", replace(SCHEDULE, **change), lambda news: None)


def test_a_network_does_not_go_on_with_other_votes(data: FaceData, tmp_path: Path) -> None:
    folder_of(data, tmp_path / "run", Plan(**asdict(SCHEDULE)))
    votes = data.training.votes.copy()
    votes[0] = votes[1]
    others = replace(data, training=replace(data.training, votes=votes))
    with pytest.raises(BadInput, match="another training"):
        learn(others, tmp_path / "run", SCHEDULE, lambda news: None)


def test_teachers_begin_from_the_weights_that_are_given(
    data: FaceData, tmp_path: Path, face_weights: Arrays, write_manifest: Callable[..., Path]
) -> None:
    given = read(write_manifest(tmp_path / "weights.json", face_weights))
    learn(data, tmp_path / "run", SCHEDULE, lambda news: None, pretrained=given)
    plan = json.loads((tmp_path / "run" / "teacher-1" / "plan.json").read_text())
    assert plan["began_from"] == given.sha256
    # One epoch at a low rate moves them little; a fresh network would share nothing with them.
    taught = keras.models.load_model(tmp_path / "run" / "teacher-1" / "best.keras")
    (kernel,) = taught.get_layer("conv64_1_conv1_conv").get_weights()
    there = given.arrays["conv64_1/conv1/conv/filters"]
    assert np.corrcoef(kernel.ravel(), there.ravel())[0, 1] > 0.9
    with pytest.raises(BadInput, match="another training"):
        learn(data, tmp_path / "run", SCHEDULE, lambda news: None)


def test_without_teachers_people_alone_are_learned_from(data: FaceData, tmp_path: Path) -> None:
    run, curve = learn(data, tmp_path / "run", replace(SCHEDULE, teachers=0, epochs=1), lambda news: None)
    assert len(curve) == 1
    assert not (run.path / "lessons").exists()


def test_a_budget_scales_every_epoch_and_is_kept(data: FaceData, tmp_path: Path) -> None:
    asked = replace(SCHEDULE, epochs=1000, teacher_epochs=500)
    fitted = scaled(asked, data, tmp_path / "run", 1.0)
    assert fitted == replace(asked, epochs=fitted.epochs, teacher_epochs=fitted.teacher_epochs)
    assert 1 <= fitted.teacher_epochs <= fitted.epochs < 1000
    assert fitted.epochs // 2 - 1 <= fitted.teacher_epochs <= fitted.epochs // 2 + 1
    # Measured again it would be another one: it is read.
    assert scaled(asked, data, tmp_path / "run", 1.0) == fitted
    with pytest.raises(BadInput, match="another training"):
        scaled(asked, data, tmp_path / "run", 2.0)
    with pytest.raises(BadInput, match="another training"):
        scaled(replace(asked, seed=1), data, tmp_path / "run", 1.0)


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"asked": 1}', json.dumps({"asked": {}, "scaled": 3})])
def test_a_damaged_schedule_is_bad_input(data: FaceData, tmp_path: Path, content: str) -> None:
    (tmp_path / "schedule.json").write_text(content)
    with pytest.raises(BadInput, match="choose another --out"):
        scaled(SCHEDULE, data, tmp_path, 60.0)


def test_a_schedule_with_fields_of_another_version_is_bad_input(data: FaceData, tmp_path: Path) -> None:
    asked = {**asdict(SCHEDULE), "budget_s": 60.0, "data_sha256": data.digest()}
    (tmp_path / "schedule.json").write_text(json.dumps({"asked": asked, "scaled": {"colour": 1}}))
    with pytest.raises(BadInput, match="damaged"):
        scaled(SCHEDULE, data, tmp_path, 60.0)
