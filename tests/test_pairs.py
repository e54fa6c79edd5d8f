"""The benchmark of people photographed twice: what stands before the camera, what counts as told, what is printed."""

import subprocess
import sys
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest

from cuelens.adapters.demo_scene import photograph
from cuelens.types import Cue

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


@pytest.fixture
def pairs(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import pairs

    return pairs


def run(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(BENCHMARKS / "pairs.py"), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def cue(t: float, word: str, kind: str = "expression", outputs: tuple[str, ...] = ("light",)) -> Cue:
    return Cue(t, kind, 1, word, outputs)


@pytest.mark.parametrize(
    ("cues", "delay_s", "false"),
    [
        pytest.param([], None, [], id="nothing is told"),
        pytest.param([cue(6.5, "happy")], 0.5, [], id="the smile"),
        pytest.param([cue(6.0, "happy")], 0.0, [], id="at the cut"),
        pytest.param([cue(6.5, "happy"), cue(9.5, "happy")], 0.5, [], id="twice"),
        pytest.param([cue(5.9, "happy")], None, [5.9], id="a smile before the cut"),
        pytest.param([cue(5.9, "happy"), cue(7.0, "happy")], 1.0, [5.9], id="before and after"),
        pytest.param([cue(7.0, "sad")], None, [7.0], id="another expression"),
        pytest.param([cue(3.0, "sad"), cue(7.0, "surprise"), cue(9.0, "happy")], 3.0, [3.0, 7.0], id="others first"),
        pytest.param([cue(7.0, "happy", outputs=("voice",))], None, [], id="without the light"),
    ],
)
def test_a_smile_is_told_after_the_cut(
    pairs: ModuleType, cues: list[Cue], delay_s: float | None, false: list[float]
) -> None:
    delay, wrong = pairs.judge(cues, 6.0)
    assert (delay, [one.t for one in wrong]) == (delay_s, false)


def test_only_cues_that_tell_an_expression_are_judged(pairs: ModuleType) -> None:
    cues = (cue(0.5, "face", "face"), cue(2.0, "sad", "answer"), cue(7.0, "happy"))
    assert pairs.Watch("7", 1, cues, np.empty((0, 9), np.float32)).expressions == [cues[2]]


def test_photographs_move_before_a_dim_camera_with_noise(pairs: ModuleType) -> None:
    # A white square of 40 pixels in a face of 100: of 80 in a face of 200.
    dark = np.full((320, 320), 100, np.uint8)
    light = dark.copy()
    light[140:180, 140:180] = 200
    face = pairs.Photograph(dark, (110, 110, 100, 100))
    shown = [(dark, 2.0), (light, 8.0)]
    frames = list(pairs.before_camera(shown, face, np.random.default_rng(1)))
    assert len(frames) == 150
    assert {(frame.shape, frame.dtype.name) for frame in frames} == {((480, 640), "uint8")}
    assert np.mean(frames[0]) == pytest.approx(70, abs=0.1)
    assert np.std(frames[0]) == pytest.approx(5, abs=0.1)
    assert [frame.max() > 120 for frame in frames] == [False] * 30 + [True] * 120
    squares = [np.argwhere(frame > 105) for frame in frames[30:]]
    assert [len(square) for square in squares] == pytest.approx([80 * 80] * 120, rel=0.05)
    places = np.array([square.mean(axis=0) for square in squares])
    low, high = places.min(axis=0), places.max(axis=0)
    assert (low + high) / 2 == pytest.approx([239.5, 319.5], abs=1)
    assert (high - low) / 2 == pytest.approx([5, 8], abs=0.5)


def test_a_seed_gives_the_same_frames_and_another_one_others(pairs: ModuleType) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (320, 320), np.uint8)
    face = pairs.Photograph(picture, (110, 110, 100, 100))
    one, same, other = (
        np.stack(list(pairs.before_camera([(picture, 0.2)], face, np.random.default_rng(seed)))) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One person, who smiles in both pictures."""
    folder = tmp_path_factory.mktemp("data")
    smile = photograph("astronaut.png")[:320, 60:380]
    words = np.array(["neutral", "happy"])
    np.savez(folder / "london_pairs.npz", frames=np.stack([smile, smile]), expression=words, person=np.array([7, 7]))
    return folder


def test_a_smile_before_the_cut_is_a_false_cue(data: Path) -> None:
    done = run("--data", str(data), "--seeds", "1", "2", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    assert "1 people, neutral for 6 s, smiling for 4 s" in done.stdout
    assert "smiles told: 0.0% of 1 people" in done.stdout
    assert "false cues in all 1: 1.0; by seed 1, 1" in done.stdout
    assert "false: happy at" in done.stdout


def test_a_smile_that_comes_first_is_told_and_its_readings_are_kept(data: Path, tmp_path: Path) -> None:
    kept = tmp_path / "readings.npz"
    done = run("--data", str(data), "--smile-first", "--seeds", "3", "--jobs", "1", "--readings", str(kept))
    assert done.returncode == 0, done.stderr
    assert "smiles told: 100.0% of 1 people" in done.stdout
    assert "told after the cut: p50" in done.stdout
    with np.load(kept) as readings:
        count = len(readings["t"])
        # A settled face is read in every third beat.
        assert 20 <= count <= 60
        assert set(readings["name"].tolist()) == {"7"}
        assert set(readings["seed"].tolist()) == {3}
        assert readings["logs"].shape == (count, len(readings["labels"]))
        assert np.exp(readings["logs"]).sum(axis=1) == pytest.approx(np.ones(count), abs=1e-3)
        assert 56 / 15 <= readings["t"].max() <= 59 / 15 + 1e-3


@pytest.mark.parametrize(("picture", "cues"), [("face", 1), ("wall", 0)])
def test_a_clip_is_looped_and_its_cues_are_printed(tmp_path: Path, picture: str, cues: int) -> None:
    face = cv2.resize(photograph("astronaut.png")[:240, 60:380], (640, 480))
    still = face if picture == "face" else np.full((480, 640), 90, np.uint8)
    writer = cv2.VideoWriter(str(tmp_path / "a.mkv"), cv2.VideoWriter.fourcc(*"MJPG"), 30.0, (640, 480), isColor=False)
    for _ in range(30):
        writer.write(still)
    writer.release()
    done = run("--clips", str(tmp_path), "--clip-s", "4", "--jobs", "1")
    assert done.returncode == 0, done.stderr
    assert "1 clips, each looped to 4 s" in done.stdout
    assert f"expression cues in all clips: {cues}" in done.stdout
    assert ("highest half second over the median, in nats: happy " in done.stdout) == bool(cues)
    assert ("happy at" in done.stdout) == bool(cues)


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ("--data", "pairs.npz is not there: name the folder that holds it with --data"),
        ("--clips", "holds no clips: name a folder of .mkv files with --clips"),
    ],
)
def test_without_data_it_says_so_in_a_sentence(tmp_path: Path, option: str, sentence: str) -> None:
    done = run(option, str(tmp_path))
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.rstrip().endswith(sentence)
