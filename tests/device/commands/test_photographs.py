"""`cuelens run` on what people have: photographs in a folder are read one by one, what cannot be read is not run."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from cuelens import events
from cuelens.adapters.demo_scene import photograph
from cuelens.frame import Grey


def run(source: Path, home: Path) -> tuple[subprocess.CompletedProcess[str], list[events.AnyEvent]]:
    command = [sys.executable, "-m", "cuelens", "run", "--as-fast", "--events", "-", "--source", str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"HOME": str(home)})
    return done, [msgspec.json.decode(line, type=events.AnyEvent) for line in done.stdout.splitlines()]


@pytest.fixture
def faces() -> list[Grey]:
    """The two people of the demo, each twice, of one size and in one place."""
    collins, hopper = photograph("astronaut.png")[20:420, 25:425], photograph("grace_hopper.jpg")[:440, 43:483]
    hopper = np.asarray(cv2.resize(hopper, (400, 400), interpolation=cv2.INTER_AREA), np.uint8)
    return [collins, hopper, collins[:, ::-1], hopper[:, ::-1]]


def test_every_photograph_of_a_folder_is_read_as_it_would_be_alone(tmp_path: Path, faces: list[Grey]) -> None:
    folder = tmp_path / "photographs"
    folder.mkdir()
    for number, face in enumerate(faces):
        cv2.imwrite(str(folder / f"IMG_{number}.jpg"), face)
    done, stream = run(folder, tmp_path)
    assert done.returncode == 0, done.stderr
    tops: list[set[str]] = [set() for _ in faces]
    for event in stream:
        if isinstance(event, events.Expression) and event.expression != "unsure":
            tops[int(event.t / 4)].add(event.expression)
    assert tops == [{"happy"}, {"neutral"}, {"happy"}, {"neutral"}]


@pytest.mark.parametrize("fps", [1.0, 10.0])
def test_a_video_of_frames_far_apart_is_refused_before_anything_is_written(tmp_path: Path, fps: float) -> None:
    writer = cv2.VideoWriter(str(tmp_path / "c.avi"), cv2.VideoWriter.fourcc(*"MJPG"), fps, (64, 48), isColor=False)
    for number in range(6):
        writer.write(np.full((48, 64), 20 * number, np.uint8))
    writer.release()
    done, stream = run(tmp_path / "c.avi", tmp_path)
    if fps == 1.0:
        assert (done.returncode, stream) == (3, [])
        (line,) = done.stderr.splitlines()
        assert "c.avi has a frame every 1 s" in line
    else:
        assert done.returncode == 0, done.stderr
        assert isinstance(stream[-1], events.State)
