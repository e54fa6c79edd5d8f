"""The command as its users meet it: a process, its output, its exit status."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from cuelens import events
from cuelens_models.bundle.file import SHIPPED, load, pack

ENVIRONMENT = {key: value for key, value in os.environ.items() if not key.startswith("XDG_")}


def cuelens(*words: object, home: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cuelens", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=ENVIRONMENT | {"HOME": str(home)},
    )


def one_sentence(done: subprocess.CompletedProcess[str], status: int) -> str:
    assert done.returncode == status, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("cuelens: ")
    assert "Traceback" not in line
    return line


@pytest.fixture
def still(tmp_path: Path) -> Path:
    path = tmp_path / "still.png"
    cv2.imwrite(str(path), np.tile(np.linspace(60, 200, 640).astype(np.uint8), (480, 1)))
    return path


@pytest.mark.parametrize("option", ["--source", "--bundle", "--config", "--profile"])
@pytest.mark.parametrize("damage", ["missing", "empty", "truncated", "foreign", "folder"])
def test_a_bad_file_is_one_sentence_and_status_3(tmp_path: Path, still: Path, option: str, damage: str) -> None:
    whole = {
        "--source": still.read_bytes(),
        "--bundle": SHIPPED.read_bytes(),
        "--config": b'[camera]\nsource = "picamera2"\n[lens]\nhorizontal_degrees = 62.0\n',
        "--profile": b'{"sound": {"on": false}, "policy": {"gap_s": 3.0}}',
    }[option]
    suffix = {"--source": ".png", "--bundle": ".tflite", "--config": ".toml", "--profile": ".json"}[option]
    bad = tmp_path / f"bad{suffix}"
    content = {
        "empty": b"",
        "truncated": whole[: len(whole) // 3] + (b"" if option in ("--source", "--bundle") else b"\n[[{"),
        "foreign": bytes(range(256)) * 8,
    }
    if damage == "folder":
        bad.mkdir()
    elif damage != "missing":
        bad.write_bytes(content[damage])
    events_file = tmp_path / "events.jsonl"
    options = {"--source": still, option: bad}
    words = [word for pair in options.items() for word in pair]
    done = cuelens("run", *words, "--as-fast", "--events", events_file, home=tmp_path)
    assert "bad" in one_sentence(done, 3)
    assert not events_file.exists()
    if damage in content:
        assert bad.read_bytes() == content[damage]


@pytest.mark.parametrize("option", ["--config", "--profile", "--bundle"])
def test_what_events_could_not_name_is_refused(tmp_path: Path, still: Path, option: str) -> None:
    bad = tmp_path / os.fsdecode(b"caf\xe9")
    bad.write_bytes(
        {
            "--config": b"[speaker]\n",
            "--profile": b'{"light": {"brightness_percent": 0}}',
            "--bundle": SHIPPED.read_bytes(),
        }[option]
    )
    line = one_sentence(
        cuelens("run", "--source", still, option, bad, "--events", tmp_path / "events", home=tmp_path), 3
    )
    assert rf"the name {tmp_path}/caf\udce9 is not in UTF-8: choose another one" in line
    assert not (tmp_path / "events").exists()


def test_the_doctor_tells_a_name_that_is_not_in_utf_8_with_escapes(tmp_path: Path) -> None:
    config = tmp_path / os.fsdecode(b"caf\xe9")
    config.write_text('[camera]\nsource = "demo"\n')
    done = cuelens("doctor", "--json", "--config", config, home=tmp_path)
    assert json.loads(done.stdout)[0]["detail"] == rf"{tmp_path}/caf\udce9: its own camera.source"


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6])
def test_a_photograph_that_was_cut_short_is_refused(tmp_path: Path, share: float) -> None:
    path = tmp_path / "photo.jpg"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 255, (200, 200)).astype(np.uint8))
    path.write_bytes(path.read_bytes()[: round(share * path.stat().st_size)])
    assert "photo.jpg" in one_sentence(cuelens("run", "--source", path, "--as-fast", home=tmp_path), 3)


def test_a_video_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48), isColor=False)
    for n in range(40):
        writer.write(np.random.default_rng(n).integers(0, 255, (48, 64)).astype(np.uint8))
    writer.release()
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "cut short" in one_sentence(cuelens("run", "--source", path, "--as-fast", home=tmp_path), 3)


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv"])
def test_a_video_that_is_none_is_one_sentence_and_status_3(tmp_path: Path, suffix: str) -> None:
    bad = tmp_path / f"clip{suffix}"
    bad.write_bytes(bytes(range(256)) * 8)
    assert "clip" in one_sentence(cuelens("run", "--source", bad, home=tmp_path), 3)


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["run", "--source", "v4l2:77"], 3, "/dev/video77"),
        (["run", "--source", "v4l2:x"], 3, "v4l2:0"),
        (["run", "--source", ""], 3, "a source is"),
        (["run", "--source", "v4l2:0", "--as-fast"], 3, "--as-fast"),
    ],
)
def test_a_camera_that_is_not_there_is_one_sentence(tmp_path: Path, words: list[str], status: int, said: str) -> None:
    assert said in one_sentence(cuelens(*words, home=tmp_path), status)


@pytest.mark.parametrize(
    "words", [[], ["fly"], ["run", "--cues", "smoke"], ["run", "--seconds", "-1"], ["run", "--seconds", "soon"]]
)
def test_wrong_usage_is_status_2(tmp_path: Path, words: list[str]) -> None:
    assert cuelens(*words, home=tmp_path).returncode == 2


def test_events_that_cannot_be_written_are_status_3(tmp_path: Path, still: Path) -> None:
    done = cuelens("run", "--source", still, "--as-fast", "--events", tmp_path / "none" / "e.jsonl", home=tmp_path)
    assert "events cannot be written" in one_sentence(done, 3)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_one_sentence_and_status_3(tmp_path: Path, still: Path) -> None:
    words = ["run", "--source", str(still), "--as-fast"]
    assert "No space left" in one_sentence(cuelens(*words, "--events", "/dev/full", home=tmp_path), 3)
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "cuelens", *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert "No space left" in one_sentence(done, 3)


def test_a_fifo_that_nobody_reads_is_said_at_once(tmp_path: Path, still: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    done = cuelens("run", "--source", still, "--as-fast", "--events", fifo, home=tmp_path)
    assert "events cannot be written" in one_sentence(done, 3)


def test_a_reader_that_stops_reading_holds_up_no_beat_and_no_end(tmp_path: Path, still: Path) -> None:
    command = [sys.executable, "-m", "cuelens", "run", "--source", "demo"]
    run = subprocess.Popen([*command, "--events", "-"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.stdout
    os.set_blocking(run.stdout.fileno(), True)
    run.stdout.readline()
    time.sleep(1)
    run.send_signal(signal.SIGTERM)
    assert run.wait(5) in (0, 3)
    run.communicate()


def test_a_reader_that_has_seen_enough_is_no_error(tmp_path: Path, still: Path) -> None:
    line = f"{sys.executable} -m cuelens run --source {still} --as-fast --events - | head -n 1"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False)
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert "cuelens:" not in done.stderr


def test_old_events_survive_a_source_that_is_not_there(tmp_path: Path) -> None:
    old = tmp_path / "old.jsonl"
    old.write_text("precious")
    for source in ("v4l2:77", tmp_path / "none.mp4"):
        assert cuelens("run", "--source", source, "--events", old, home=tmp_path).returncode == 3
    assert old.read_text() == "precious"


def test_a_bundle_for_another_detector_is_refused(tmp_path: Path, still: Path) -> None:
    whole = load(SHIPPED)
    rule = msgspec.structs.replace(whole.contract.input.crop, detector="yunet")
    fed = msgspec.structs.replace(whole.contract.input, crop=rule)
    other = tmp_path / "other.tflite"
    other.write_bytes(pack(whole.model, msgspec.structs.replace(whole.contract, input=fed)))
    assert "yunet" in one_sentence(cuelens("run", "--source", still, "--bundle", other, home=tmp_path), 3)


def test_a_bundle_that_answers_differently_here_fails_its_check(tmp_path: Path, still: Path) -> None:
    whole = load(SHIPPED)
    golden = whole.contract.golden[0]
    wrong = msgspec.structs.replace(golden, logits=[logit + 1 for logit in golden.logits])
    other = tmp_path / "other.tflite"
    other.write_bytes(pack(whole.model, msgspec.structs.replace(whole.contract, golden=[wrong])))
    assert "answers differently" in one_sentence(cuelens("run", "--source", still, "--bundle", other, home=tmp_path), 1)


def test_a_damaged_bundle_of_the_settings_gives_way_to_the_shipped_one(tmp_path: Path, still: Path) -> None:
    (tmp_path / "bad.tflite").write_bytes(b"no model")
    (tmp_path / "c.toml").write_text(f'[places]\nbundle = "{tmp_path / "bad.tflite"}"\n')
    words = ["--source", still, "--config", tmp_path / "c.toml", "--as-fast", "--events", "-"]
    done = cuelens("run", *words, home=tmp_path)
    assert done.returncode == 0
    start, fault = done.stdout.splitlines()[:2]
    assert load(SHIPPED).contract.title() in start
    assert "the shipped one is used" in fault


HUNG = """
import sys, threading
from cuelens.commands import assembly

class Hung:
    name = "hung"
    def read(self, timeout_s): threading.Event().wait()
    def close(self): threading.Event().wait()

assembly.open_source = lambda name, camera: Hung()
from functools import partial
from cuelens.camera.capture import Deadlines
assembly.CaptureThread = partial(assembly.CaptureThread, deadlines=Deadlines(capture_s=0.2))
from cuelens.cli import main
main()
"""


def test_a_camera_that_hangs_in_every_call_ends_the_process_with_70(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HUNG, "run", "--source", "v4l2:0"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=ENVIRONMENT | {"HOME": str(tmp_path)},
    )
    assert "hangs" in one_sentence(done, 70)


def test_settings_that_are_read_by_themselves_are_not_overwritten_either(tmp_path: Path, still: Path) -> None:
    config = tmp_path / ".config" / "cuelens" / "cuelens.toml"
    config.parent.mkdir(parents=True)
    config.write_text("[camera]\nfps = 15\n")
    for target in (config, SHIPPED):
        before = target.read_bytes()
        done = cuelens("run", "--source", still, "--as-fast", "--events", target, home=tmp_path)
        assert "would overwrite" in one_sentence(done, 3)
        assert target.read_bytes() == before


def test_a_folder_of_something_else_leaves_old_events_alone(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.jpg").write_bytes(b"no picture")
    old = tmp_path / "old.jsonl"
    old.write_text("precious")
    done = cuelens("run", "--source", tmp_path / "folder", "--as-fast", "--events", old, home=tmp_path)
    assert "a.jpg" in one_sentence(done, 3)
    assert old.read_text() == "precious"


def test_a_voice_without_aplay_is_a_fault_and_no_output(tmp_path: Path, still: Path) -> None:
    (tmp_path / "p.json").write_text('{"sound": {"on": true}}')
    words = ["run", "--source", str(still), "--as-fast", "--events", "-", "--cues", "voice", "--profile"]
    done = subprocess.run(
        [sys.executable, "-m", "cuelens", *words, str(tmp_path / "p.json")],
        capture_output=True,
        text=True,
        check=False,
        env=ENVIRONMENT | {"HOME": str(tmp_path), "PATH": "/nowhere"},
    )
    assert done.returncode == 0, done.stderr
    start, fault = done.stdout.splitlines()[:2]
    assert '"event":"start"' in start
    assert "aplay is not installed" in fault


def test_events_never_overwrite_what_the_run_reads(tmp_path: Path, still: Path) -> None:
    before = still.read_bytes()
    done = cuelens("run", "--source", still, "--as-fast", "--events", still, home=tmp_path)
    assert "would overwrite" in one_sentence(done, 3)
    assert still.read_bytes() == before


def test_events_on_standard_output_are_nothing_but_json_lines(tmp_path: Path, still: Path) -> None:
    done = cuelens("run", "--source", still, "--as-fast", "--events", "-", home=tmp_path)
    assert done.returncode == 0
    decoded = [msgspec.json.decode(line, type=events.AnyEvent) for line in done.stdout.splitlines()]
    assert isinstance(decoded[0], events.Start)
    assert isinstance(decoded[-1], events.State)
    assert json.loads(done.stdout.splitlines()[-1])["frame_age_ms_p95"] is None
    assert "60 frames, 60 beats" in done.stderr


def test_version_and_help(tmp_path: Path) -> None:
    assert cuelens("--version", home=tmp_path).stdout.startswith("cuelens (cuelens) ")
    assert "exit status" in cuelens("--help", home=tmp_path).stdout


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_a_run_with_its_summary(tmp_path: Path, number: signal.Signals, status: int) -> None:
    folder = tmp_path / "frames"
    folder.mkdir()
    for n in range(300):
        cv2.imwrite(str(folder / f"{n:03}.pgm"), np.full((48, 64), 90, np.uint8))
    cues = "light,console" if find_spec("gpiozero") else "console"
    command = [sys.executable, "-u", "-m", "cuelens", "run", "--source", str(folder), "--cues", cues]
    # Tests that run in the background ignore Ctrl-C, and so would all that they start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    run = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=ENVIRONMENT | {"HOME": str(tmp_path)}
    )
    assert run.stdout
    assert any(line.startswith("source ") for line in run.stdout)
    time.sleep(0.5)
    run.send_signal(number)
    rest = run.stdout.read()
    assert run.wait(10) == status, rest
    assert "beats" in rest
    assert "Traceback" not in rest
    run.stdout.close()


@pytest.mark.parametrize(
    "words",
    [
        "story --csv - --delete",
        "profile export -",
        "completion bash",
        "run --source still.png --events - --as-fast",
    ],
)
def test_without_standard_output_nothing_is_taken_for_written(tmp_path: Path, still: Path, words: str) -> None:
    story = tmp_path / "cuelens" / "story.sqlite"
    story.parent.mkdir()
    story.write_bytes(b"damaged")
    done = subprocess.run(
        ["sh", "-c", f'"$0" -m cuelens {words} >&-', sys.executable],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=still.parent,
        env=ENVIRONMENT | {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)},
    )
    assert done.returncode == 3, done.stderr
    assert done.stderr.splitlines()[-1].endswith("standard output is closed: give the name of a file")
    assert story.read_bytes() == b"damaged"
