import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from cuelens.adapters import gpio
from cuelens.commands import doctor as module
from cuelens.commands.doctor import CHECKS, doctor
from cuelens.commands.story import Question, story
from cuelens.health import board
from cuelens.settings import Camera, Places, Settings
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
    assert list(found) == list(CHECKS)
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
    assert len(lines) == len(CHECKS)
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
    line = "ok        first     well\n"
    assert before == [("", line) if as_json else (line, "")]
    text = capsys.readouterr().out
    if as_json:
        assert [finding["part"] for finding in json.loads(text)] == ["first", "second"]


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


def test_an_address_is_no_camera() -> None:
    with pytest.raises(BadInput, match="source http://cam/ is an address"):
        CHECKS["camera"](Settings(camera=Camera(source="http://cam/")))


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
