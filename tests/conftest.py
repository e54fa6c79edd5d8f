"""What every test may ask for: the shipped bundle, real data where it is, and made-up faces where it is not."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

# Before a run freezes its objects: later Hypothesis would take a plugin's random generator for one without an owner.
import hypothesis  # noqa: F401
import numpy as np
import pytest

from cuelens_models.bundle import file
from cuelens_models.bundle.file import Bundle
from cuelens_models.data.faces import EMOTIONS, VOTES, Faces

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shipped() -> Bundle:
    return file.load(file.SHIPPED)


@pytest.fixture(scope="session")
def data_dir() -> Path:
    folder = Path(os.environ.get("CUELENS_DATA") or SHARED / "data")
    if not folder.is_dir():
        pytest.skip(f"no face data in {folder}: set CUELENS_DATA")
    return folder


@pytest.fixture(scope="session")
def clips_dir() -> Path:
    folder = SHARED / "clips"
    if not folder.is_dir():
        pytest.skip(f"no clips in {folder}")
    return folder


@pytest.fixture(scope="session")
def made_up_faces() -> Callable[[int, int], Faces]:
    """Noise with one bright band, whose height says which of the eight expressions it stands for."""

    def make(count: int, seed: int) -> Faces:
        random = np.random.default_rng(seed)
        truth = np.arange(count) % 8
        pixels = random.integers(40, 100, (count, 48, 48), dtype=np.uint8)
        for face, band in zip(pixels, truth, strict=True):
            face[6 * band : 6 * band + 6] += 100
        votes = np.zeros((count, len(VOTES)), np.uint8)
        votes[np.arange(count), truth] = random.integers(6, 10, count)
        votes[:, VOTES.index("unknown")] = 1
        words = [VOTES[index] for index in truth]
        emotion = np.array([EMOTIONS.index(word) if word in EMOTIONS else -1 for word in words], np.int8)
        return Faces(pixels, emotion, votes)

    return make


@pytest.fixture(scope="session")
def synthetic_npz(tmp_path_factory: pytest.TempPathFactory, made_up_faces: Callable[[int, int], Faces]) -> Path:
    """A folder with train.npz (240 faces) and publictest.npz (120)."""
    folder = tmp_path_factory.mktemp("faces")
    for name, count, seed in (("train", 240, 1), ("publictest", 120, 2)):
        faces = made_up_faces(count, seed)
        np.savez(folder / f"{name}.npz", pixels=faces.pixels, emotion=faces.emotion, votes=faces.votes)
    return folder


@pytest.fixture(scope="session")
def command() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the `main` of a module in a process of its own, as the installed command does."""

    def run(module: str, *arguments: object, before: str = "") -> subprocess.CompletedProcess[str]:
        code = f"{before}\nfrom {module} import main\nmain()"
        return subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False
        )

    return run
