"""`cuelens status`, and the metrics, of really running glasses."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from cuelens.commands import metrics
from cuelens.link.replies import Health, Reported
from cuelens.link.server import Server

HEALTH = Health(
    program="1.2.3",
    title='a "net" 4',
    profile="ben",
    mode="quiet",
    state="camera stalled",
    words="the camera gives no picture: it is started again",
    up_s=3725.0,
    starts=3,
    taken_back=("settings", "profile"),
    camera_fps=14.9,
    beat_fps=7.5,
    frames=500,
    beats=250,
    dropped=4,
    skipped=246,
    frame_age_ms_p95=41.0,
    cues={"expression": 5, "answer": 1},
    temperature_c=71.5,
    under_voltage=True,
    memory_mb=81.5,
    faults=(
        Reported(fault="no sound", level=3, words="no cue is spoken", detail="card\\ is away", times=2, ago_s=61.0),
    ),
)


class Unix(http.client.HTTPConnection):
    """HTTP over a UNIX socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("cuelens", timeout=10)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10)
        self.sock.connect(str(self._path))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def run(home: Path, *words: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cuelens", *words],
        env=os.environ | {"HOME": str(home), "XDG_RUNTIME_DIR": str(home / "run")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def done(home: Path, *words: str) -> tuple[int, str]:
    process = run(home, *words)
    out, _ = process.communicate(timeout=30)
    return process.returncode, out


@pytest.fixture
def glasses(home: Path, soon: Callable[[Callable[[], object]], bool]) -> Iterator[subprocess.Popen[str]]:
    """Glasses on a folder of pictures, whose network is damaged."""
    (home / "run").mkdir()
    pictures = home / "pictures"
    pictures.mkdir()
    for number in range(60):
        level = 40 + 97 * number % 200
        (pictures / f"{number:02}.pgm").write_bytes(b"P5 64 48 255\n" + bytes([level, 120] * (32 * 48)))
    (home / "broken.tflite").write_bytes(b"no network")
    config = home / ".config" / "cuelens" / "cuelens.toml"
    config.parent.mkdir(parents=True)
    config.write_text(f'[places]\nbundle = "{home / "broken.tflite"}"\n')
    process = run(home, "run", "--source", str(pictures), "--worn")
    assert soon((home / "run" / "cuelens" / "link.sock").exists)
    with process:
        yield process
        process.terminate()
        process.communicate(timeout=20)


def test_status_says_how_running_glasses_are(home: Path, glasses: subprocess.Popen[str]) -> None:
    del glasses
    end_s = time.monotonic() + 30
    while (answer := json.loads(done(home, "status", "--json")[1]))["beats"] == 0 and time.monotonic() < end_s:
        time.sleep(0.2)
    assert answer["beats"] > 0
    assert answer["state"] in ("running", "resting", "too dark", "covered")
    assert answer["memory_mb"] > 20
    (fault,) = answer["faults"]
    assert (fault["fault"], fault["level"], fault["times"]) == ("bundle damaged", 4, 1)
    status, text = done(home, "status")
    assert status == 0, text
    first, *rest = text.splitlines()
    assert first.partition(":")[0] in ("running", "resting", "too dark", "covered")
    assert "faces are read by the network that came with the glasses" in text
    assert any("broken.tflite" in line for line in rest)


def test_prometheus_reads_the_same_from_the_socket_and_from_the_command(
    home: Path, glasses: subprocess.Popen[str], soon: Callable[[Callable[[], object]], bool]
) -> None:
    del glasses
    parser = pytest.importorskip("prometheus_client.parser", reason="its parser comes with the extra dev")
    # The age of frames comes with the first statistics, which must not fall between the two readings.
    assert soon(lambda: json.loads(done(home, "status", "--json")[1])["frame_age_ms_p95"] is not None)
    with closing(Unix(home / "run" / "cuelens" / "link.sock")) as client:
        client.request("GET", "/metrics")
        response = client.getresponse()
        assert (response.status, response.headers["Content-Type"].partition(";")[0]) == (200, "text/plain")
        by_socket = {family.name for family in parser.text_string_to_metric_families(response.read().decode())}
    status, text = done(home, "status", "--metrics")
    assert status == 0
    assert {family.name for family in parser.text_string_to_metric_families(text)} == by_socket
    assert {"cuelens_beat_fps", "cuelens_beats", "cuelens_faults", "cuelens_up_seconds"} <= by_socket


def test_every_figure_stands_in_the_metrics() -> None:
    parser = pytest.importorskip("prometheus_client.parser", reason="its parser comes with the extra dev")
    families = parser.text_string_to_metric_families(metrics.text(HEALTH))
    samples = {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}
    states = {name[1]: value for name, value in samples.items() if name[0] == "cuelens_state"}
    assert [state for state, value in states.items() if value] == ["camera stalled"]
    assert len(states) == 8
    assert {name: value for name, value in samples.items() if name[0] != "cuelens_state"} == {
        ("cuelens_info", "1.2.3", 'a "net" 4'): 1,
        ("cuelens_up_seconds",): 3725,
        ("cuelens_starts",): 3,
        ("cuelens_safe_mode",): 2,
        ("cuelens_camera_fps",): 14.9,
        ("cuelens_beat_fps",): 7.5,
        ("cuelens_frames_total",): 500,
        ("cuelens_beats_total",): 250,
        ("cuelens_frames_dropped_total",): 4,
        ("cuelens_frames_skipped_total",): 246,
        ("cuelens_frame_age_p95_seconds",): 0.041,
        ("cuelens_cues_total", "expression"): 5,
        ("cuelens_cues_total", "answer"): 1,
        ("cuelens_faults_total", "no sound"): 2,
        ("cuelens_temperature_celsius",): 71.5,
        ("cuelens_under_voltage",): 1,
        ("cuelens_resident_bytes",): 81.5 * 2**20,
    }


def test_what_is_not_known_is_left_out_of_the_metrics() -> None:
    unknown = msgspec.structs.replace(HEALTH, temperature_c=None, under_voltage=None, frame_age_ms_p95=None, cues={})
    text = metrics.text(unknown)
    assert not {"temperature", "voltage", "age", "cues"} & set(text.replace("\n", "_").split("_"))


@pytest.fixture
def stand_in(home: Path) -> Iterator[None]:
    """A socket whose glasses are in trouble."""
    (home / "run" / "cuelens").mkdir(parents=True)
    server = Server(home / "run" / "cuelens" / "link.sock", lambda _request: HEALTH, lambda: 1 / 0)  # type: ignore[arg-type,return-value]
    yield
    server.close()


@pytest.mark.usefixtures("stand_in")
def test_glasses_in_trouble_are_status_1_and_plain_words(home: Path) -> None:
    status, text = done(home, "status")
    assert status == 1
    assert text.splitlines() == [
        "camera stalled: the camera gives no picture: it is started again",
        (
            "safe mode: settings and profile as of the last good minute, for the glasses could not start with what was"
            " changed; change it again, and it is tried again"
        ),
        "  14.9 frames and 7.5 beats a second, 95 % of them at most 41 ms old; 4 frames dropped, 246 skipped",
        "  72 C, the supply is too weak, 82 MB of memory",
        '  profile ben, mode quiet; bundle a "net" 4',
        "  up for 1 h 2 min, start 3 since the board was switched on; 6 cues given",
        "reported since the start:",
        "  no sound (1 min 1 s ago, 2 times): no cue is spoken",
        "    card\\ is away",
    ]


@pytest.mark.usefixtures("stand_in")
@pytest.mark.parametrize(("place", "status"), [("/", 404), ("/metrics/x", 404), ("/etc/passwd", 404)])
def test_there_is_nothing_else_in_http(home: Path, place: str, status: int) -> None:
    with closing(Unix(home / "run" / "cuelens" / "link.sock")) as client:
        client.request("GET", place)
        assert client.getresponse().status == status


@pytest.mark.usefixtures("stand_in")
def test_metrics_that_fail_cost_no_thread(home: Path) -> None:
    for _ in range(6):
        with closing(Unix(home / "run" / "cuelens" / "link.sock")) as client:
            client.request("GET", "/metrics")
            with pytest.raises(http.client.BadStatusLine, match="ZeroDivisionError"):
                client.getresponse()
    assert done(home, "status")[0] == 1


def test_without_glasses_it_is_a_sentence(home: Path) -> None:
    status, text = done(home, "status")
    assert (status, text.strip()) == (
        3,
        "cuelens: no glasses are running: start them with `cuelens run`, or the service",
    )
