"""Where the detector's file is looked for."""

from pathlib import Path

import cv2
import pytest

from cuelens_models.bundle import cascade
from cuelens_models.bundle.cascade import cascade_file
from cuelens_models.errors import MissingExtra


def test_opencv_s_own_file_is_a_cascade() -> None:
    assert not cv2.CascadeClassifier(str(cascade_file())).empty()


def test_debian_s_file_is_used_where_opencv_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(cv2, "data", raising=False)
    monkeypatch.setattr(cascade, "_DEBIAN", tmp_path)
    with pytest.raises(MissingExtra, match="apt install opencv-data"):
        cascade_file()
    file = tmp_path / "haarcascade_frontalface_alt2.xml"
    file.touch()
    assert cascade_file() == file
