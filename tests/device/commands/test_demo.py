"""The whole pipeline on the built-in scene: what the demo must show, and that it shows the same twice."""

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest

from cuelens.adapters.demo_scene import FPS, demo_scene
from cuelens.adapters.haar import HaarDetector
from cuelens.frame import Frame
from cuelens.runtime.build import assemble
from cuelens.vision.stage_times import StageTimes
from cuelens_models.bundle.file import Bundle
from cuelens_models.bundle.interpreter import Interpreter

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[dict[str, Any]], list[dict[str, Any]], Path, str]:
    """Run the demo twice; return both event streams, where the picture is, and what was printed."""
    folder = tmp_path_factory.mktemp("demo")
    streams = []
    for name in ("one", "two"):
        words = ["demo", "--as-fast", "--events", str(folder / f"{name}.jsonl")]
        done = subprocess.run(
            [sys.executable, "-m", "cuelens", *words],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"HOME": str(folder)},
        )
        streams.append([msgspec.json.decode(line) for line in (folder / f"{name}.jsonl").read_bytes().splitlines()])
    return streams[0], streams[1], folder / "cuelens-demo.png", done.stdout


def followed(told: list[dict[str, Any]]) -> set[int]:
    """Return the frames in which a face was followed: from when it was seen until it was lost."""
    began: dict[int, int] = {}
    frames: set[int] = set()
    for event in told:
        number = round(event.get("t", 0) * FPS)
        if event["event"] == "face":
            began[event["track"]] = number
        elif event["event"] == "lost":
            frames |= set(range(began.pop(event["track"]), number))
    for first in began.values():
        frames |= set(range(first, demo_scene().frames))
    return frames


def test_two_runs_give_the_same_events_but_for_latency(demo: Any) -> None:
    one, two, _, _ = demo
    for event in (*one, *two):
        event.pop("latency_ms", None)
    assert sum(event["event"] == "reading" for event in one) > 60
    assert one == two


def test_a_smile_becomes_a_cue_and_a_neutral_face_becomes_none(demo: Any) -> None:
    cues = [(event["kind"], event["word"]) for event in demo[0] if event["event"] == "cue"]
    assert cues == [("face", "face"), ("expression", "happy"), ("face", "face")]
    expressions = [event["expression"] for event in demo[0] if event["event"] == "expression" and event["track"] == 2]
    assert expressions[-1] == "neutral"


def test_nothing_is_found_where_the_scene_shows_no_face(demo: Any) -> None:
    scene = demo_scene()
    frames_with_faces = {number for number in range(scene.frames) if scene.picture(number)[1]}
    found = followed(demo[0])
    assert found
    # A face that is half out of the picture may be followed a few frames further than its box is told.
    assert all(any(abs(number - shown) <= 4 for shown in frames_with_faces) for number in found)


def test_faces_are_found_where_the_scene_put_them(demo: Any) -> None:
    scene = demo_scene()
    frames_with_faces = [number for number in range(scene.frames) if scene.picture(number)[1]]
    found = followed(demo[0])
    assert len(found & set(frames_with_faces)) / len(frames_with_faces) > 0.9
    for event in demo[0]:
        if event["event"] == "face":
            ((x, y, side, _),) = scene.picture(round(event["t"] * FPS))[1]
            left, top, width, _ = event["box"]
            assert abs(left + width / 2 - x - side / 2) < side / 5
            assert abs(top + width / 2 - y - side / 2) < side / 5


def test_the_picture_shows_a_session(demo: Any) -> None:
    pytest.importorskip("matplotlib", reason="the picture comes with the extra demo")
    picture = cv2.imread(str(demo[2]))
    assert picture is not None
    assert picture.shape[1] >= 1000
    colours = picture.reshape(-1, 3)
    # The band of the smile: happy's colour, in OpenCV's order of channels.
    assert (np.abs(colours.astype(int) - (0x00, 0xA8, 0xE0)).max(axis=1) < 3).sum() > 5000


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        pytest.param([], 0, "no picture of the session: matplotlib is not installed: run `", id="no picture"),
        pytest.param(["-o", "mine.png"], 3, "", id="refused"),
    ],
)
def test_without_matplotlib_the_demo_runs_and_a_picture_is_refused_before_it(
    tmp_path: Path, asked: list[str], status: int, told: str
) -> None:
    hidden = "import sys; sys.modules['matplotlib'] = None; from cuelens.cli import main; main()"
    words = ["demo", "--as-fast", "--seconds", "4", *asked]
    done = subprocess.run(
        [sys.executable, "-c", hidden, *words],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"HOME": str(tmp_path)},
    )
    assert done.returncode == status, done.stderr
    assert list(tmp_path.glob("*.png")) == []
    if told:
        assert "face" in done.stdout
        assert done.stdout.splitlines()[-1].startswith(told)
    else:
        assert done.stdout == ""
        assert done.stderr.startswith("cuelens: matplotlib is not installed: run `")


def test_plain_lines_are_printed_without_a_terminal(demo: Any) -> None:
    assert "\x1b" not in demo[3]
    assert "looks happy" in demo[3]
    assert "a face followed" in demo[3]
    assert "frame to decision" in demo[3]


def test_the_scene_is_the_same_whenever_it_is_asked_for() -> None:
    one, two = demo_scene(), demo_scene()
    for number in (0, 80, 190, 280):
        assert np.array_equal(one.picture(number)[0], two.picture(number)[0])
        assert one.picture(number)[1] == two.picture(number)[1]


def test_the_scene_has_what_a_room_has() -> None:
    scene = demo_scene()
    pictures = {number: scene.picture(number) for number in range(0, scene.frames, 5)}
    boxes = [box for _, found in pictures.values() for box in found]
    assert max(box[2] for box in boxes) > 1.3 * min(box[2] for box in boxes)
    assert max(box[0] for box in boxes) - min(box[0] for box in boxes) > 100
    dim, bright = scene.picture(round(20 * FPS))[0].mean(), scene.picture(round(16.5 * FPS))[0].mean()
    assert dim < 0.6 * bright
    empty = [number for number, (_, found) in pictures.items() if not found]
    assert len(empty) > 20
    noise = scene.picture(0)[0].astype(int) - scene.picture(1)[0].astype(int)
    assert 4 < noise.std() < 8


def test_a_steady_beat_makes_no_picture(shipped: Bundle) -> None:
    pipeline = assemble(HaarDetector(), Interpreter(shipped), StageTimes())
    scene = demo_scene()
    pictures = [scene.picture(number)[0] for number in range(70, 100)]
    # There and back again, so that nobody jumps.
    pictures += pictures[::-1]
    readings = 0
    peaks = []
    tracemalloc.start()
    try:
        for number in range(1_100):
            frame = Frame(pictures[number % len(pictures)], number / FPS, 0)
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            readings += len(pipeline.process(frame).faces)
            peaks.append(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    assert readings > 1_000
    # All that a beat had at once is less than the region of a followed face, 160 pixels on a side;
    # where one is looked at to be followed, less than the frame at half of its size.
    assert np.median(peaks[100:]) < 160 * 160 / 2
    assert max(peaks[100:]) < 320 * 240 * 0.75
