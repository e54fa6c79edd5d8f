"""The image as it was built, and boards that are switched on with it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.image.programs import TREE, program

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "build" / "image"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what needs an image, unless it was asked for: an emulator takes minutes."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents and "boots" in item.fixturenames:
            if "CUELENS_IMAGE_TEST" not in os.environ:
                item.add_marker(pytest.mark.skip(reason="the emulator boots the image in `make image-test` only"))
            elif not (OUTPUT / "cuelens.img").exists() or not TREE.exists():
                item.add_marker(pytest.mark.skip(reason="no image is built: run `make image`"))


@pytest.fixture(scope="session")
def boots() -> None:
    """Marks what boots the image."""


@pytest.fixture(scope="module")
def guest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tests' disk: what stands in for parts of a board, and the picture of a face."""
    import cv2
    import numpy as np
    from skimage import data

    folder = tmp_path_factory.mktemp("guest")
    shutil.copytree(Path(__file__).parent / "guest", folder / "disk")
    (folder / "disk" / "pictures").mkdir()
    scene = np.full((480, 640, 3), 110, np.uint8)
    # Eileen Collins, in the public domain.
    scene[:, 80:560] = cv2.resize(data.astronaut()[:, :, ::-1], (480, 480))
    cv2.imwrite(str(folder / "disk" / "pictures" / "face.jpg"), scene)
    disk = folder / "tests.erofs"
    subprocess.run(program("mkfs.erofs", "--quiet", disk, folder / "disk"), check=True)
    return disk


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A memory card with the image on it, larger than the image is."""
    file = tmp_path_factory.mktemp("card") / "card.img"
    subprocess.run(["cp", "--sparse=always", OUTPUT / "cuelens.img", file], check=True)
    os.truncate(file, 2 << 30)
    yield file
    file.unlink()
