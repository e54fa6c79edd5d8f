"""What the kernel tells of the board, from trees of files like its own."""

import sys
from pathlib import Path

import pytest

from cuelens.health import board

HEAT = "sys/class/thermal/thermal_zone0/temp"


def tree(root: Path, files: dict[str, str]) -> Path:
    """Write files under a root, and return it."""
    for place, text in files.items():
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        (root / place).write_text(text)
    return root


@pytest.mark.parametrize(
    ("files", "degrees"), [({}, None), ({HEAT: "51540\n"}, 51.54), ({HEAT: ""}, None), ({HEAT: "hot"}, None)]
)
def test_the_temperature_is_the_sensors_or_unknown(
    tmp_path: Path, files: dict[str, str], degrees: float | None
) -> None:
    assert board.temperature_c(tree(tmp_path, files)) == degrees


@pytest.mark.parametrize(
    ("files", "is_under"),
    [
        ({}, None),
        ({"hwmon0/name": "cpu_thermal\n"}, None),
        ({"hwmon0/name": "cpu_thermal\n", "hwmon1/name": "rpi_volt\n", "hwmon1/in0_lcrit_alarm": "0\n"}, False),
        ({"hwmon0/name": "rpi_volt\n", "hwmon0/in0_lcrit_alarm": "1\n"}, True),
        # Without an alarm, or without a name.
        ({"hwmon0/name": "rpi_volt\n"}, None),
        ({"hwmon0/in0_lcrit_alarm": "1\n"}, None),
    ],
)
def test_the_supply_is_what_the_kernel_says_or_unknown(
    tmp_path: Path, files: dict[str, str], is_under: bool | None
) -> None:
    sensors = {f"sys/class/hwmon/{place}": text for place, text in files.items()}
    assert board.under_voltage(tree(tmp_path, sensors)) is is_under


@pytest.mark.parametrize("is_set", [False, True])
def test_the_clock_is_set_once_timesyncd_says_so(tmp_path: Path, is_set: bool) -> None:
    mark = {"run/systemd/timesync/synchronized": ""}
    assert board.clock_set(tree(tmp_path, mark if is_set else {})) is is_set


def test_what_is_read_every_few_seconds_leaves_no_names_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CPython never reuses a place in its table of interned strings, and makes it anew once it is full."""
    root = tree(tmp_path, {HEAT: "50000", "sys/class/hwmon/hwmon0/name": "rpi_volt"})
    interned: list[str] = []
    intern = sys.intern

    def noted(text: str) -> str:
        interned.append(text)
        return intern(text)

    monkeypatch.setattr(sys, "intern", noted)
    # pathlib does: a test that does not see that would see nothing.
    assert (root / "x" / "y").name in interned
    interned.clear()
    assert board.temperature_c(root) == 50.0
    assert board.under_voltage(root) is None
    assert not board.clock_set(root)
    assert interned == []
