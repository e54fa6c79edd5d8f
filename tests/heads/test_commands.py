import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
from benchmarks.heads import cutouts, faces
from benchmarks.heads.expressions import EXPRESSIONS
from benchmarks.heads.faces import ballot

from cuelens_models.data import npz
from cuelens_models.data.faces import VOTES
from cuelens_models.errors import BadInput

ROOT = Path(__file__).resolve().parents[2]


def ran(*options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.heads", *options]
    around = {**os.environ, **environment}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=around)


def test_what_is_drawn_is_tested_in_a_process_without_tensorflow(driver: None) -> None:
    if "tensorflow" not in sys.modules:
        pytest.skip("test_tone.py draws in this process")
    around = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/heads/test_tone.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=around)
    assert done.returncode == 0, done.stdout
    assert "skipped" not in done.stdout


@pytest.mark.slow
def test_stills_are_measured(driver: None, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    done = ran("stills", "--people", "2", "--jobs", "1", "--sheet", str(sheet))
    assert done.returncode == 0, done.stderr
    for figure in ("2 synthetic people of the test split", "recall, missed faces counted as wrong", "minus darkest"):
        assert figure in done.stdout
    assert cv2.imread(str(sheet)).shape == (2 * 96, 8 * 96, 3)


@pytest.mark.slow
def test_clips_are_measured(driver: None, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    done = ran("clips", "--people", "1", "--jobs", "1", "--split", "train", "--sheet", str(sheet))
    assert done.returncode == 0, done.stderr
    for figure in ("told within 1.2 s of the apex", "false cues in ten minutes", "frames with a followed face: 9"):
        assert figure in done.stdout
    assert cv2.imread(str(sheet)).shape == (160, 7 * 160, 3)


@pytest.mark.slow
def test_smiles_of_graded_strength_are_measured(driver: None, tmp_path: Path) -> None:
    file, sheet = tmp_path / "smiles.json", tmp_path / "sheet.png"
    done = ran(*("strengths", "--people", "1", "--jobs", "1"), "--json", str(file), "--sheet", str(sheet))
    assert done.returncode == 0, done.stderr
    assert "at 100% of the full smile: 1 of 1 told" in done.stdout
    found = msgspec.json.decode(file.read_bytes())
    assert found["people"] == 1
    assert [row["strength"] for row in found["strengths"]] == sorted(row["strength"] for row in found["strengths"])
    assert found["strengths"][0]["told"] == 0
    assert cv2.imread(str(sheet)).shape == (160, 213 * len(found["strengths"]), 3)


@pytest.mark.slow
def test_faces_to_learn_from_are_written(driver: None, tmp_path: Path) -> None:
    file = tmp_path / "faces.npz"
    done = ran("faces", "--people", "1", "--jobs", "1", "--out", str(file))
    assert done.returncode == 0, done.stderr
    written = npz.read(file)
    # Four expressions of four pictures, of which the detector finds most.
    assert 10 <= len(written) <= 16
    assert f"wrote {len(written)} faces to" in done.stdout
    assert (written.votes.sum(axis=1) == 10).all()
    assert {VOTES[column] for column in np.flatnonzero(written.votes.sum(axis=0))} == set(EXPRESSIONS)


@pytest.mark.slow
def test_cut_outs_of_heads_are_written(driver: None, tmp_path: Path) -> None:
    file = tmp_path / "heads.npz"
    done = ran("cutouts", "--people", "1", "--jobs", "1", "--out", str(file))
    assert done.returncode == 0, done.stderr
    with np.load(file) as arrays:
        pictures, covers, boxes = arrays["pictures"], arrays["covers"], arrays["boxes"]
    # Of five pictures, in most of which the detector finds the face.
    assert 3 <= len(pictures) <= 5
    assert f"wrote {len(pictures)} cutouts to" in done.stdout
    assert pictures.shape == covers.shape == (len(pictures), 256, 256)
    assert boxes.shape == (len(pictures), 3)
    for picture, cover, (x, y, side) in zip(pictures, covers, boxes, strict=True):
        assert 60 <= side <= 140
        assert cover[y + side // 2, x + side // 2] == 255
        assert not picture[cover == 0].any()


@pytest.mark.parametrize("what", ["faces", "cutouts"])
def test_faces_need_a_file_to_be_written_to(meshes: None, what: str) -> None:
    done = ran(what, "--people", "1")
    assert done.returncode == 2
    assert f"{what} needs --out FILE.npz" in done.stderr


@pytest.mark.parametrize("kind", [faces, cutouts])
def test_people_of_whom_no_face_is_found_are_no_file(
    kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kind, "over_people", lambda *given: [[], []])
    with pytest.raises(BadInput, match="in no picture of 2 people"):
        kind.write(2, tmp_path / "none.npz", 1)
    assert not (tmp_path / "none.npz").exists()


def test_a_weaker_expression_has_fewer_votes() -> None:
    assert ballot("happy", 1.0) == ballot("happy", 0.8) == [0, 10, 0, 0, 0, 0, 0, 0, 0, 0]
    assert ballot("angry", 0.55) == [5, 0, 0, 0, 5, 0, 0, 0, 0, 0]
    assert ballot("neutral", 1.0) == [10, 0, 0, 0, 0, 0, 0, 0, 0, 0]


def test_what_is_missing_is_said_in_a_sentence(tmp_path: Path) -> None:
    done = ran("stills", "--people", "1", CUELENS_DATA=str(tmp_path))
    assert done.returncode == 3
    assert done.stderr.startswith("heads: ")
    assert len(done.stderr.strip().splitlines()) == 1
    assert "anny is not installed" in done.stderr or str(tmp_path / "heads") in done.stderr
