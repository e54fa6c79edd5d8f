import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras", reason="training needs the extra train")

from cuelens_models import record
from cuelens_models.bundle.expressions import LABELS
from cuelens_models.data.faces import VOTES, Faces
from cuelens_models.data.load import FaceData, load
from cuelens_models.errors import BadInput, Unwritable
from cuelens_models.train import Epoch, Progress, targets, train

# Keras saves its variables through h5py, which asks them for an array in the way of numpy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Heard = list[Progress | Epoch]
Whole = tuple[Path, list[Epoch], Heard]


class Stopped(Exception):
    """What ends a training between two epochs here, where a person would press Ctrl-C."""


@pytest.fixture(scope="module")
def data(synthetic_npz: Path) -> FaceData:
    return load(synthetic_npz)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, data: FaceData) -> Whole:
    """A training of two epochs that nothing stopped: its result, its curve, and what it said meanwhile."""
    heard: Heard = []
    best, curve = train(data, tmp_path_factory.mktemp("runs") / "whole", 2, 0, heard.append)
    return best, curve, heard


def ballots(*rows: dict[str, int]) -> Faces:
    n = len(rows)
    votes = np.array([[row.get(word, 0) for word in VOTES] for row in rows], np.uint8)
    return Faces(np.zeros((n, 48, 48), np.uint8), np.full(n, -1, np.int8), votes)


@pytest.mark.parametrize(
    ("row", "target", "weight"),
    [
        ({"happy": 10}, {"happy": 1.0}, 1.0),
        ({"happy": 6, "sad": 2}, {"happy": 0.75, "sad": 0.25}, 1.0),
        ({"happy": 6, "sad": 2, "fear": 1}, {"happy": 0.75, "sad": 0.25}, 1.0),
        ({"happy": 4, "unknown": 4}, {"happy": 1.0}, 0.5),
        ({"contempt": 3, "not_a_face": 6}, {"contempt": 1.0}, 1 / 3),
        ({"happy": 4, "unknown": 1}, {"happy": 1.0}, 1.0),
        ({"unknown": 9}, {}, 0.0),
        ({}, {}, 0.0),
        ({"happy": 1, "sad": 1}, {}, 0.0),
        ({"happy": 200, "sad": 200}, {"happy": 0.5, "sad": 0.5}, 1.0),
    ],
)
def test_targets_are_the_shares_of_the_votes_that_name_an_expression(
    row: dict[str, int], target: dict[str, float], weight: float
) -> None:
    found, weights = targets(ballots(row), len(LABELS))
    assert (found.dtype, weights.dtype) == (np.float32, np.float32)
    np.testing.assert_allclose(found[0], [target.get(label, 0) for label in LABELS], rtol=1e-6)
    assert weights[0] == pytest.approx(weight)


def test_a_training_ends_with_a_keras_file_that_says_how_to_feed_it(whole: Whole) -> None:
    best, curve, _ = whole
    said = record.read(best)
    assert said is not None
    assert (said.recipe, said.labels, said.protocol) == ("cuelens", list(LABELS), "ferplus8")
    assert (said.epochs, said.seed) == (2, 0)
    assert [epoch.number for epoch in curve] == [1, 2]
    assert best.name == "cuelens.keras"


def test_the_curve_kept_in_the_folder_is_the_curve_returned(whole: Whole) -> None:
    best, curve, _ = whole
    assert [Epoch(**epoch) for epoch in json.loads((best.parent / "curve.json").read_text())] == curve


def test_every_step_and_epoch_is_told_in_order(whole: Whole) -> None:
    _, curve, heard = whole
    assert [news for news in heard if isinstance(news, Epoch)] == curve
    # 216 faces are two batches of 96.
    assert [(n.epoch, n.step, n.steps) for n in heard if isinstance(n, Progress)] == [
        (1, 1, 2),
        (1, 2, 2),
        (2, 1, 2),
        (2, 2, 2),
    ]


def test_a_stopped_training_goes_on_after_its_last_whole_epoch(tmp_path: Path, data: FaceData, whole: Whole) -> None:
    _, uninterrupted, _ = whole

    def stop(news: Progress | Epoch) -> None:
        if isinstance(news, Epoch):
            raise Stopped

    with pytest.raises(Stopped):
        train(data, tmp_path / "run", 2, 0, stop)
    assert not (tmp_path / "run" / "cuelens.keras").exists()

    heard: Heard = []
    best, curve = train(data, tmp_path / "run", 2, 0, heard.append)
    assert {news.epoch for news in heard if isinstance(news, Progress)} == {2}
    assert best.exists()
    assert curve[0] == uninterrupted[0]
    assert curve[1].loss == pytest.approx(uninterrupted[1].loss, rel=1e-5)
    assert curve[1].inner_accuracy == uninterrupted[1].inner_accuracy

    again: Heard = []
    assert train(data, tmp_path / "run", 2, 0, again.append) == (best, curve)
    assert again == []


@pytest.mark.parametrize(("epochs", "seed"), [(3, 0), (2, 1)])
def test_another_plan_in_the_same_folder_is_refused_and_changes_nothing(
    data: FaceData, whole: Whole, epochs: int, seed: int
) -> None:
    folder = whole[0].parent
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises(BadInput, match="another training"):
        train(data, folder, epochs, seed, lambda news: None)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


@pytest.mark.parametrize("name", ["plan.json", "curve.json"])
@pytest.mark.parametrize("content", ["", "{", '[{"number": 1}]', '["x"]'])
def test_a_damaged_training_folder_is_bad_input(
    tmp_path: Path, data: FaceData, whole: Whole, name: str, content: str
) -> None:
    shutil.copytree(whole[0].parent, tmp_path / "run")
    (tmp_path / "run" / name).write_text(content)
    with pytest.raises(BadInput, match="choose another --out"):
        train(data, tmp_path / "run", 2, 0, lambda news: None)


@pytest.mark.parametrize("place", ["file", "file/run", "/proc/run"])
def test_a_folder_that_cannot_be_written_is_said_before_any_training(
    tmp_path: Path, data: FaceData, place: str
) -> None:
    (tmp_path / "file").write_text("x")
    heard: Heard = []
    with pytest.raises(Unwritable, match="cannot be written"):
        train(data, tmp_path / place, 1, 0, heard.append)
    assert heard == []
    assert (tmp_path / "file").read_text() == "x"


def test_faces_without_votes_cannot_be_learned_from(tmp_path: Path, made_up_faces: Callable[[int, int], Faces]) -> None:
    faces = made_up_faces(40, 0)
    bare = Faces(faces.pixels, faces.emotion, np.zeros_like(faces.votes))
    with pytest.raises(BadInput, match="votes"):
        train(FaceData("bare", bare, bare, bare, "bare", ()), tmp_path / "run", 1, 0, lambda news: None)
    assert not (tmp_path / "run").exists()
