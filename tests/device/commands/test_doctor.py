import json
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from cuelens import settings
from cuelens.adapters import gpio
from cuelens.commands import doctor as module
from cuelens.commands.doctor import CHECKS, Doubtful, NotHere, doctor
from cuelens.commands.story import Question, story
from cuelens.health import board
from cuelens.settings import Places, Settings
from cuelens_models.errors import BadInput


def settings_file(folder: Path, source: str, bundle: str = "") -> Path:
    path = folder / "cuelens.toml"
    path.write_text(
        f'[camera]\nsource = "{source}"\n[places]\nstate = "{folder / "state"}"\nbundle = "{bundle}"\n'
        '[speaker]\ndevice = "null"\n[pins]\nfactory = "mock"\n'
    )
    return path


def findings(config: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict[str, object]]]:
    status = doctor(config, as_json=True)
    return status, {finding["part"]: finding for finding in json.loads(capsys.readouterr().out)}


def test_every_part_is_checked_and_the_well_ones_say_what_was_seen(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    still = tmp_path / "still.png"
    cv2.imwrite(str(still), np.full((48, 64), 99, np.uint8))
    _, found = findings(settings_file(tmp_path, str(still)), capsys)
    assert list(found) == ["settings", *CHECKS]
    own = "its own camera.source, pins.factory, speaker.device, places.state"
    assert found["settings"]["detail"] == f"{tmp_path / 'cuelens.toml'}: {own}"
    assert found["camera"]["ok"]
    assert "a frame of 64x48" in str(found["camera"]["detail"])
    assert found["model"]["ok"]
    assert "4 golden pictures" in str(found["model"]["detail"])
    assert found["disk"]["ok"]
    assert found["python"]["ok"]


def test_a_part_that_does_not_work_fails_the_whole(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged = tmp_path / "damaged.tflite"
    damaged.write_bytes(b"no model")
    status, found = findings(settings_file(tmp_path, "v4l2:77", str(damaged)), capsys)
    assert status == 1
    assert not found["camera"]["ok"]
    assert "/dev/video77" in str(found["camera"]["detail"])
    assert not found["model"]["ok"]
    assert "damaged.tflite" in str(found["model"]["detail"])


def test_a_person_reads_one_line_a_part(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    doctor(settings_file(tmp_path, "v4l2:77"), as_json=False)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 + len(CHECKS)
    assert all(line.startswith(("ok ", "warning ", "not here ", "FAILED ")) for line in lines)


@pytest.mark.parametrize("as_json", [False, True])
def test_the_results_are_printed_as_they_come(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, as_json: bool
) -> None:
    before: list[tuple[str, str]] = []

    def second(_: Settings) -> str:
        before.append(capsys.readouterr())
        return "well"

    monkeypatch.setattr(module, "CHECKS", {"first": lambda _: "well", "second": second})
    assert doctor(settings_file(tmp_path, "demo"), as_json=as_json) == 0
    ((out, err),) = before
    assert (out == "", err == "") == (as_json, not as_json)
    assert re.fullmatch(r"ok        settings  .+\nok        first     well\n", out + err)
    text = capsys.readouterr().out
    if as_json:
        assert [finding["part"] for finding in json.loads(text)] == ["settings", "first", "second"]


NO_PI = {"light", "button", "capture"}


@pytest.mark.skipif(board.is_raspberry_pi(), reason="this machine is a Raspberry Pi")
@pytest.mark.parametrize(
    ("text", "not_here", "failed"),
    [
        ("[pins]", {*NO_PI, "camera"}, set()),
        ('[camera]\nsource = "v4l2:77"', NO_PI, {"camera"}),
        ('[pins]\nfactory = "lgpio"', {"camera"}, NO_PI),
    ],
)
def test_a_laptop_does_not_fail_for_what_only_a_raspberry_pi_has(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    not_here: set[str],
    failed: set[str],
) -> None:
    pytest.importorskip("gpiozero", reason="gpiozero comes with the extra pi")
    checks = {part: check for part, check in CHECKS.items() if part in {*NO_PI, "camera"}}
    monkeypatch.setattr(module, "CHECKS", checks)
    config = tmp_path / "cuelens.toml"
    config.write_text(text)
    status, found = findings(config, capsys)
    assert {part for part, finding in found.items() if finding["result"] == "not here"} == not_here
    assert {part for part, finding in found.items() if not finding["ok"]} == failed
    assert status == (1 if failed else 0)


@pytest.mark.parametrize(
    ("pins", "light", "capture"),
    [
        ("", "red on pin 17, green on pin 27, blue on pin 22", "pin 24"),
        (
            'capture = 4\nsingle = [{pin = 5, colour = "#FFCC00"}, {pin = 6, colour = "#0000FF"}]',
            "#FFCC00 on pin 5, #0000FF on pin 6",
            "pin 4",
        ),
    ],
)
def test_a_maker_knows_where_to_look_before_a_light_is_lit(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    pins: str,
    light: str,
    capture: str,
) -> None:
    pytest.importorskip("gpiozero", reason="gpiozero comes with the extra pi")
    from gpiozero.pins.mock import MockFactory, MockPWMPin

    dark_until_told: dict[str, bool] = {}

    class Board(MockFactory):
        def close(self) -> None: ...

    factory = Board(pin_class=MockPWMPin)

    def look(_: float) -> None:
        """Look at the pins in the moment that is left for it."""
        told = capsys.readouterr().err
        if told:
            dark_until_told[told] = not any(pin.state for pin in factory.pins.values() if pin.function == "output")

    monkeypatch.setattr(gpio, "_factory", lambda **_: factory)
    monkeypatch.setattr(module, "is_raspberry_pi", lambda: True)
    monkeypatch.setattr(module.time, "sleep", look)
    monkeypatch.setattr(module, "CHECKS", {part: CHECKS[part] for part in ("light", "capture")})
    config = tmp_path / "cuelens.toml"
    config.write_text(f'[pins]\nfactory = "lgpio"\n{pins}')
    assert doctor(config, as_json=False) == 0
    (at_light, light_dark), (at_capture, capture_dark) = dark_until_told.items()
    assert at_light.startswith("look now")
    assert light in at_light
    assert at_capture.startswith("look now")
    assert capture in at_capture
    assert light_dark
    assert capture_dark


@pytest.mark.parametrize(
    ("profile", "result", "sentence"),
    [
        ("", "ok", "the factory profile: mode companion, language en, sound off"),
        ('{"mode": "quiet", "sound": {"on": true}}', "ok", "default: mode quiet, language en, sound on"),
        ('{"light": {"brightness_percent": 0}}', "warning", "light.brightness_percent is 0: no light will be seen"),
        ('{"policy": {"margin": 0.2}}', "warning", "policy.margin can no longer be chosen"),
        ('{"mode": "loud"}', "FAILED", "the factory profile is used"),
        (
            '{"cues": {"happy": {"recording": "gone.wav"}}}',
            "warning",
            "gone.wav is not there; the phrase is said in its place",
        ),
    ],
)
def test_the_profile_is_checked_and_its_warnings_are_told(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    profile: str,
    result: str,
    sentence: str,
) -> None:
    monkeypatch.setattr(module, "CHECKS", {"profile": CHECKS["profile"]})
    profiles = tmp_path / "state" / "profiles"
    profiles.mkdir(parents=True)
    if profile:
        (profiles / "default.json").write_text(profile)
    status, found = findings(settings_file(tmp_path, "demo"), capsys)
    assert found["profile"]["result"] == result
    assert sentence in str(found["profile"]["detail"])
    assert status == (1 if result == "FAILED" else 0)


@contextmanager
def nobody() -> Iterator[None]:
    """Be a user who owns nothing."""
    if os.geteuid() != 0:
        pytest.skip("only root can be another user")
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize(
    "question", [Question(), Question(day="2026-10-08"), Question(table=Path("/dev/null")), Question(delete=True)]
)
def test_who_may_not_read_the_state_is_told_who_may(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, question: Question
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    (state / "story.sqlite").touch(0o600)
    config = settings_file(tmp_path, "demo")
    for place in (state, tmp_path, *tmp_path.parents):
        if place in (state, tmp_path) or place.name.startswith(("pytest-", "popen-")):
            place.chmod(0o755)
    with nobody(), pytest.raises(BadInput, match=f"{state} belongs to root: run `sudo -u root .*cuelens story`"):
        story(replace(question, config=config))
    monkeypatch.setattr(module, "CHECKS", {part: CHECKS[part] for part in ("profile", "voice", "disk")})
    with nobody():
        status, found = findings(config, capsys)
    assert status == 1
    assert found.pop("settings")["ok"]
    for finding in found.values():
        assert "belongs to root: run `sudo -u root" in str(finding["detail"])


def test_what_a_board_does_not_tell_is_none_and_never_a_good_value(tmp_path: Path) -> None:
    assert board.temperature_c(tmp_path) is None
    assert board.model_name(tmp_path) is None
    assert not board.is_raspberry_pi(tmp_path)
    zone = tmp_path / "sys/class/thermal/thermal_zone0"
    zone.mkdir(parents=True)
    (zone / "temp").write_text("61400\n")
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/model").write_text("Raspberry Pi Zero 2 W Rev 1.0\0")
    assert board.temperature_c(tmp_path) == 61.4
    assert board.is_raspberry_pi(tmp_path)
    assert board.model_name(tmp_path) == "Raspberry Pi Zero 2 W Rev 1.0"


WRONG = """\
[camera]
fps = 99
source = "rtsp://cam/1"
[lens]
fps = 15
[pins]
button = 17
single = [
  {pin = 24, colour = "#FFFFFF"},
  {pin = 5, colour = "#000000"},
]
[threads]
model = "two"
opencv = 9
[places]
state = "state"
bundle = "~/mine.tflite"
[speaker]
devise = "null"
"""
ALL_WRONG = [
    "line 2, column 1: camera.fps must be a whole number from 2 to 60, not 99",
    "line 3, column 1: camera.source must be a camera, a file or a folder, since nothing is read over a network",
    'line 5, column 1: there is no key "fps" in lens: did you mean camera.fps?',
    "line 9, column 4: pins.single[0].pin and pins.capture (by default) are both 24: give each a pin of its own",
    'line 13, column 1: threads.model must be a whole number from 1 to 8, not "two"',
    "line 14, column 1: threads.opencv must be a whole number from 1 to 8, not 9",
    'line 16, column 1: places.state must be a whole path, which begins with /, not "state"',
    'line 17, column 1: places.bundle must be a whole path, which begins with HOME/mine.tflite, not "~/mine.tflite"',
    'line 19, column 1: there is no key "devise" in speaker: did you mean "device"?',
]
ALWAYS = {"python", "detector", "memory", "clock"}
NEED_PINS = {"camera", "light", "button", "capture"}
NEED_PLACES = {"model", "profile", "voice", "disk"}


@pytest.mark.parametrize(
    ("text", "sentences", "skipped"),
    [
        pytest.param(WRONG, ALL_WRONG, NEED_PINS | NEED_PLACES | {"sound"}, id="nine mistakes"),
        pytest.param("[camera\nfps = 1", ["line 1, column 8: "], set(CHECKS) - ALWAYS, id="no TOML"),
        pytest.param("[pins]\nred = 1\nred = 2", ["line 3, column 8: "], set(CHECKS) - ALWAYS, id="a key twice"),
        pytest.param("", [" is empty"], set(CHECKS) - ALWAYS, id="empty"),
        pytest.param(
            "[pins]\nred = 28\ngreen = 17",
            ["line 2, column 1: pins.red must be a whole number from 0 to 27, not 28"],
            NEED_PINS,
            id="a default pin is blamed for nothing",
        ),
        pytest.param(
            "[pins]\ncapture = 5\nbutton = 5",
            ["line 3, column 1: pins.button and pins.capture are both 5: give each a pin of its own"],
            NEED_PINS,
            id="two pins",
        ),
        pytest.param(
            "pins.single = [{pin = 5, colour = '#FFFFFF'}, {pin = 5, colour = '#FFFFFF'}]",
            ["line 1, column 48: pins.single[0].pin and pins.single[1].pin are both 5: give each a pin of its own"],
            NEED_PINS,
            id="two LEDs",
        ),
        pytest.param(
            '[[pins.single]]\npin = 5\ncolour = "#FFFFFF"\n[[pins.single]]\npin = 6\ncolour = "white"',
            ['line 6, column 1: pins.single[1].colour must be a colour such as "#F0E442", not "white"'],
            NEED_PINS,
            id="a colour in a table of its own",
        ),
        pytest.param(
            "[pins]\nsingle = [{colour = '#FFFFFF'}]",
            ['line 2, column 11: pins.single[0] lacks the key "pin": it must be a whole number from 0 to 27'],
            NEED_PINS,
            id="a missing key",
        ),
        pytest.param(
            "fps = 20\ncamera = 5",
            [
                'line 1, column 1: there is no key "fps": did you mean camera.fps?',
                "line 2, column 1: camera must be a group of keys (source, width, height, fps, rotation), not 5",
            ],
            set(CHECKS) - ALWAYS,
            id="no section",
        ),
        pytest.param(
            '# fps = 99\n[camera] # fps\nsource = "fps = 99"\n  fps = 61',
            ["line 4, column 3: camera.fps must be a whole number from 2 to 60, not 61"],
            {"camera"},
            id="its name stands elsewhere too",
        ),
    ],
)
def test_every_mistake_in_the_settings_is_told_at_once_and_what_needs_them_is_not_checked(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    sentences: list[str],
    skipped: set[str],
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(module, "CHECKS", dict.fromkeys(CHECKS, lambda _: "well"))
    config = tmp_path / "cuelens.toml"
    config.write_text(text)
    assert doctor(config, as_json=True) == 1
    found = json.loads(capsys.readouterr().out)
    told = [finding["detail"] for finding in found if finding["part"] == "settings"]
    assert len(told) == len(sentences)
    for detail, sentence in zip(told, sentences, strict=True):
        assert detail.startswith(str(config))
        place = detail.removeprefix(str(config)).removeprefix(": ")
        assert place.startswith(sentence.replace("HOME", str(tmp_path))), detail
    assert {finding["part"] for finding in found if finding["result"] == "skipped"} == skipped
    assert {finding["part"] for finding in found if finding["ok"]} == set(CHECKS) - skipped
    with pytest.raises(BadInput) as caught:
        settings.read(config)
    more = f" (`cuelens doctor` names {len(told) - 1} more)" if len(told) > 1 else ""
    assert str(caught.value) == f"{told[0]}{more}"


def test_settings_that_were_named_and_are_not_there_fail_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, found = findings(tmp_path / "none.toml", capsys)
    assert (status, found["settings"]["detail"]) == (1, f"settings {tmp_path / 'none.toml'} do not exist")


def test_without_settings_the_defaults_are_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "SYSTEM_FILE", tmp_path / "none.toml")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(module, "CHECKS", {"camera": lambda setup: setup.camera.source})
    assert doctor(None, as_json=False) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ok        settings  no file: each key has its default",
        "ok        camera    picamera2",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of another user")
def test_what_would_bar_a_run_from_the_state_folder_is_named() -> None:
    with tempfile.TemporaryDirectory() as name:
        state = Path(name) / "state"
        (state / "good").mkdir(parents=True)
        Path(name).chmod(0o755)
        os.chown(state, 65534, 65534)
        os.seteuid(65534)
        try:
            with pytest.raises(BadInput) as caught:
                CHECKS["disk"](Settings(places=Places(state=str(state))))
        finally:
            os.seteuid(0)
        assert str(caught.value) == f"{state}/good belongs to root: run `sudo chown -R nobody {state}/good`"


V1 = "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t1\t1\nmemory\t{}\n"


@pytest.mark.parametrize(
    ("files", "refusal", "words"),
    [
        ({"sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory pids\n"}, None, "can hold the units"),
        ({"sys/fs/cgroup/cgroup.controllers": "cpuset cpu io pids\n"}, Doubtful, "add cgroup_enable=memory"),
        ({"sys/fs/cgroup/cgroup.controllers": ""}, Doubtful, "MemoryMax of the units holds nothing"),
        # What the second version says goes before the first one's list, where a board has both.
        ({"sys/fs/cgroup/cgroup.controllers": "cpu\n", "proc/cgroups": V1.format("0\t90\t1")}, Doubtful, "is off"),
        ({"proc/cgroups": V1.format("4\t19\t1")}, None, "can hold the units"),
        ({"proc/cgroups": V1.format("0\t1\t0")}, Doubtful, "/boot/firmware/cmdline.txt"),
        ({"proc/cgroups": "\n"}, Doubtful, "is off"),
        ({}, NotHere, "no control groups"),
    ],
)
def test_a_kernel_that_caps_no_memory_is_named_with_the_remedy(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    files: dict[str, str],
    refusal: type[Doubtful | NotHere] | None,
    words: str,
) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    monkeypatch.setattr(module, "memory_controller", partial(board.memory_controller, tmp_path))
    if refusal is None:
        assert words in CHECKS["memory"](Settings())
    else:
        with pytest.raises(refusal, match=words):
            CHECKS["memory"](Settings())
