import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from cuelens.commands.doctor import CHECKS, doctor
from cuelens.health import board


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
    assert all(line.startswith(("ok ", "FAILED ")) for line in lines)


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
