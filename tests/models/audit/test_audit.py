from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("keras", reason="auditing needs the extra train")
pytest.importorskip("cleanlab", reason="auditing needs the extra train")
pytest.importorskip("skimage", reason="backgrounds need the extra train")

from cuelens_models.audit.audit import audit
from cuelens_models.audit.findings import Finding, read_names, write_csv
from cuelens_models.audit.sheet import write_sheets
from cuelens_models.audit.study import OutOfFold, cross_validate, schedule_of
from cuelens_models.data.faces import VOTES as WORDS
from cuelens_models.data.faces import Faces
from cuelens_models.data.load import FaceData, load, names_of, without
from cuelens_models.data.protocols import PROTOCOLS
from cuelens_models.errors import BadInput
from cuelens_models.progress import Recorder
from cuelens_models.train import distilled
from cuelens_models.train.targets import VOTES, Head
from cuelens_models.zoo.recipe import OwnRecipe

# Keras saves its variables through h5py, which asks them for an array in the way of numpy 1.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def data(synthetic_npz: Path) -> FaceData:
    return load(synthetic_npz)


@pytest.fixture
def predictions(made_up_faces: Callable[[int, int], Faces]) -> OutOfFold:
    """Faces of which networks said just what people did, and whose features differ by their label alone."""
    faces = made_up_faces(160, 3)
    truth = np.arange(160) % 8
    probabilities = np.full((160, 9), 0.01)
    probabilities[np.arange(160), truth] = 0.92
    features = 10 * np.eye(8)[truth] + np.random.default_rng(0).uniform(-0.1, 0.1, (160, 8))
    return OutOfFold(faces, VOTES, probabilities, features, np.arange(160) % 2)


def found_in(predictions: OutOfFold, held_out: Faces) -> dict[str, list[Finding]]:
    by_reason: dict[str, list[Finding]] = {}
    for finding in audit(predictions, held_out, 0):
        by_reason.setdefault(finding.reason, []).append(finding)
    return by_reason


def test_nothing_is_found_where_nothing_is_wrong(
    predictions: OutOfFold, made_up_faces: Callable[[int, int], Faces]
) -> None:
    assert found_in(predictions, made_up_faces(40, 4)) == {}


def test_what_was_made_wrong_is_found(predictions: OutOfFold, made_up_faces: Callable[[int, int], Faces]) -> None:
    held_out = made_up_faces(40, 4)
    happy, sad = WORDS.index("happy"), WORDS.index("sad")
    wrong = int(np.flatnonzero(predictions.faces.votes.argmax(axis=1) == happy)[2])
    predictions.probabilities[wrong] = 0.01
    predictions.probabilities[wrong, sad] = 0.99
    predictions.faces.votes[wrong, sad] = 2
    predictions.probabilities[40] = 0.0
    predictions.probabilities[40, -1] = 1.0
    predictions.faces.pixels[120] = predictions.faces.pixels[56]
    predictions.faces.pixels[33] = held_out.pixels[1]
    predictions.features[64] += 3
    predictions.faces.pixels[80] //= 8
    findings = found_in(predictions, held_out)
    (label,) = findings["label"]
    assert (label.index, label.labelled, label.rather) == (wrong, "happy", "sad")
    assert label.score == pytest.approx(0.92, abs=0.01)
    assert [(finding.index, finding.rather) for finding in findings["no face"]] == [(40, "not_a_face")]
    assert {(finding.index, finding.rather) for finding in findings["repeat"]} == {
        (120, "face 56"),
        (33, "held-out face 1"),
    }
    assert [finding.index for finding in findings["unlike others"]] == [64]
    assert [finding.index for finding in findings["dark"]] == [80]


def test_faces_of_one_expression_have_no_label_that_is_likelier(
    predictions: OutOfFold, made_up_faces: Callable[[int, int], Faces]
) -> None:
    predictions.faces.votes[:] = 0
    predictions.faces.votes[:, WORDS.index("happy")] = 10
    predictions.faces.pixels[80] //= 8
    findings = found_in(predictions, made_up_faces(40, 4))
    assert "label" not in findings
    assert [finding.index for finding in findings["dark"]] == [80]


@pytest.mark.parametrize(
    ("votes", "is_found"),
    [
        pytest.param((8, 0), False, id="nobody said so"),
        pytest.param((8, 1), False, id="one vote counts for none"),
        pytest.param((7, 2), True, id="two said so"),
        pytest.param(None, True, id="nobody voted"),
    ],
)
def test_another_label_is_believed_where_people_said_so_too_or_were_not_asked(
    predictions: OutOfFold, made_up_faces: Callable[[int, int], Faces], votes: tuple[int, int] | None, is_found: bool
) -> None:
    happy, sad = WORDS.index("happy"), WORDS.index("sad")
    wrong = int(np.flatnonzero(predictions.faces.votes.argmax(axis=1) == happy)[2])
    predictions.probabilities[wrong] = 0.01
    predictions.probabilities[wrong, sad] = 0.99
    if votes is None:
        original = Head("original", PROTOCOLS["fer7"], "fer7", "")
        labelled = np.flatnonzero(predictions.faces.emotion >= 0)
        wrong = int(np.searchsorted(labelled, wrong))
        order = [VOTES.labels.index(word) for word in original.labels]
        faces = predictions.faces.take(labelled)
        faces.votes[:] = 0
        predictions = OutOfFold(
            faces, original, predictions.probabilities[labelled][:, order], predictions.features[labelled], labelled % 2
        )
    else:
        predictions.faces.votes[wrong, [happy, sad]] = votes
    findings = found_in(predictions, made_up_faces(40, 4)).get("label", [])
    assert [finding.index for finding in findings] == [wrong] * is_found


def test_findings_are_written_and_read_and_their_faces_left_out(data: FaceData, tmp_path: Path) -> None:
    findings = [Finding(5, "label", "happy", "sad", 0.5), Finding(9, "dark", "sad", "", 1.0)]
    write_csv(tmp_path / "findings.csv", findings, data.training)
    lines = (tmp_path / "findings.csv").read_text().splitlines()
    assert lines[0] == "face,reason,labelled,rather,score,index"
    assert lines[1] == f"{names_of(data.training)[5]},label,happy,sad,0.500,5"
    names = read_names(tmp_path / "findings.csv")
    cleaned = without(data, names)
    assert len(cleaned.training) == len(data.training) - 2
    assert cleaned.notes[-1] == "2 training faces are left out as asked"
    assert cleaned.digest() != data.digest()
    np.testing.assert_array_equal(cleaned.inner.pixels, data.inner.pixels)
    with pytest.raises(BadInput, match="too few"):
        without(data, frozenset(names_of(data.training)))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_findings_that_a_spreadsheet_saved_are_read(
    data: FaceData, tmp_path: Path, encoding: str, separator: str
) -> None:
    path = tmp_path / "findings.csv"
    write_csv(path, [Finding(5, "label", "happy", "sad", 0.5), Finding(9, "dark", "sad", "", 1.0)], data.training)
    before = read_names(path)
    path.write_text(path.read_text().replace(",", separator).replace("\n", "\r\n") + separator * 5, encoding=encoding)
    assert read_names(path) == before
    assert len(before) == 2


def test_findings_that_were_edited_are_kept_when_the_audit_is_done_again(data: FaceData, tmp_path: Path) -> None:
    path, findings = (
        tmp_path / "findings.csv",
        [Finding(5, "label", "happy", "sad", 0.5), Finding(9, "dark", "sad", "", 1.0)],
    )
    assert write_csv(path, findings, data.training) is None
    whole = path.read_bytes()
    assert write_csv(path, findings, data.training) is None
    for number in (1, 2):
        edited = whole[: -number * 5]
        path.write_bytes(edited)
        kept = write_csv(path, findings, data.training)
        assert kept == tmp_path / f"findings-{number}.csv"
        assert kept.read_bytes() == edited
        assert path.read_bytes() == whole


def test_of_two_copies_the_first_is_still_learned_from(
    predictions: OutOfFold, data: FaceData, made_up_faces: Callable[[int, int], Faces], tmp_path: Path
) -> None:
    predictions.faces.pixels[120] = predictions.faces.pixels[56]
    predictions.faces.pixels[8], predictions.faces.pixels[9] = 0, 200
    findings = found_in(predictions, made_up_faces(40, 4))["repeat"]
    assert [(finding.index, finding.rather) for finding in findings] == [(120, "face 56")]
    write_csv(tmp_path / "findings.csv", findings, predictions.faces)
    cleaned = without(replace(data, training=predictions.faces), read_names(tmp_path / "findings.csv"))
    assert len(cleaned.training) == len(predictions.faces) - 1
    assert (cleaned.training.pixels[56] == predictions.faces.pixels[56]).all()


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\xff\xfe\n"])
def test_a_file_that_is_no_list_of_findings_is_bad_input(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    with pytest.raises(BadInput, match=r"x\.csv"):
        read_names(tmp_path / "x.csv")


def test_a_sheet_is_drawn_for_each_reason(predictions: OutOfFold, tmp_path: Path) -> None:
    findings = [Finding(number, "label", "happy", "sad", 0.5) for number in range(70)]
    findings.append(Finding(3, "no face", "sad", "not_a_face", 1.0))
    sheets = write_sheets(tmp_path, findings, predictions.faces)
    assert [sheet.name for sheet in sheets] == ["label.png", "no-face.png"]
    assert all(sheet.read_bytes().startswith(b"\x89PNG") for sheet in sheets)


@pytest.mark.usefixtures("eager")
@pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions_eagerly`:UserWarning")
def test_every_face_is_judged_by_a_network_that_did_not_learn_from_it(
    data: FaceData, tmp_path: Path, small_recipes: dict[str, OwnRecipe], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(distilled.RECIPES, "cuelens", small_recipes["cuelens"])
    steps = Recorder()
    schedule = schedule_of(1, 0, "float32")
    predictions = cross_validate(data, tmp_path, 2, schedule, steps)
    assert len(predictions.faces) == len(data.training) + len(data.inner) == len(predictions.fold)
    assert np.bincount(predictions.fold).tolist() == [120, 120]
    np.testing.assert_allclose(predictions.probabilities.sum(axis=1), 1)
    assert {path.name for path in tmp_path.iterdir()} == {"fold-1", "fold-2"}
    again = Recorder()
    same = cross_validate(data, tmp_path, 2, schedule, again)
    np.testing.assert_allclose(same.probabilities, predictions.probabilities, atol=1e-5)
    assert len(steps.lines) == 2
    assert again.lines == []
