"""How many beats there are, and which are light: over frames of made-up times."""

from pathlib import Path

import pytest

from cuelens.health import board
from cuelens.runtime.pacing import TARGET, Pacing, Strain


def beats(pacing: Pacing, fps: float, seconds: float, began: float = 100.0, late_s: float = 0.0) -> list[float]:
    """The times of the frames that became beats; every second frame comes late."""
    times = (began + n / fps + late_s * (n % 2) for n in range(round(fps * seconds)))
    return [t for t in times if pacing.due(t)]


@pytest.mark.parametrize(("fps", "expected"), [(15, 150), (30, 150), (60, 150), (25, 150), (10, 100), (5, 50)])
def test_there_are_fifteen_beats_a_second_or_as_many_as_frames(fps: float, expected: int) -> None:
    assert len(beats(Pacing(), fps, 10)) == pytest.approx(expected, abs=2)


def test_an_unpunctual_camera_loses_no_frame() -> None:
    assert len(beats(Pacing(), 15, 10, late_s=0.015)) == 150


def test_a_clock_that_jumps_does_not_stop_the_beats() -> None:
    pacing = Pacing()
    beats(pacing, 15, 1, began=1000)
    assert len(beats(pacing, 15, 2, began=10)) >= 29
    assert len(beats(pacing, 15, 2, began=5000)) >= 29


def test_a_long_beat_is_followed_by_a_light_one() -> None:
    pacing = Pacing()
    pacing.ended(0.0, 30)
    assert not pacing.reduced
    pacing.ended(0.1, 51)
    assert pacing.reduced
    pacing.ended(0.2, 20)
    assert not pacing.reduced
    assert pacing.target == TARGET


def test_where_every_beat_is_long_every_other_one_is_whole() -> None:
    pacing, reduced = Pacing(), []
    for n in range(6):
        reduced.append(pacing.reduced)
        pacing.ended(n / 15, 60)
    assert reduced == [False, True] * 3


def test_more_than_one_long_beat_in_twenty_lowers_the_target_until_it_is_calm() -> None:
    pacing = Pacing()
    for n in range(80):
        pacing.ended(n / 15, 60 if n % 10 == 0 else 20)
    lowered = pacing.target
    assert lowered in (10, 7.5)
    targets = []
    for n in range(80, 80 + 15 * 40):
        pacing.ended(n / 15, 20)
        targets.append(pacing.target)
    # It rises step by step, ten seconds apart.
    assert targets == sorted(targets)
    assert targets[15 * 4] == lowered
    assert targets[-1] == TARGET


def test_one_long_beat_in_forty_is_left_at_that() -> None:
    pacing = Pacing()
    for n in range(400):
        pacing.ended(n / 15, 60 if n % 40 == 0 else 20)
    assert pacing.target == TARGET


def test_heat_lowers_the_target_in_steps_and_three_degrees_less_raises_it() -> None:
    pacing = Pacing()
    found = []
    for heat in (60, 70, 69, 75, 81, 78, 76, 72, 68, 66, 60):
        pacing.strained(Strain(temperature_c=heat))
        found.append(pacing.target)
    assert found == [15, 10, 10, 7.5, 5, 5, 7.5, 7.5, 10, 15, 15]


def test_a_weak_supply_lowers_the_target_once_and_that_is_told() -> None:
    pacing = Pacing()
    assert pacing.strained(Strain(under_voltage=True))
    assert pacing.target == 10
    assert not pacing.strained(Strain(under_voltage=True))
    assert pacing.strained(Strain())
    assert pacing.target == TARGET


def test_what_strains_the_board_is_told_in_words() -> None:
    assert str(Strain(71.6, under_voltage=True)) == "72 C, under-voltage"
    assert str(Strain(80.0)) == "80 C"


@pytest.mark.parametrize(("alarm", "expected"), [("1\n", True), ("0\n", False), (None, None)])
def test_under_voltage_is_what_the_kernel_s_sensor_of_that_name_says(
    tmp_path: Path, alarm: str | None, expected: bool | None
) -> None:
    assert board.under_voltage(tmp_path) is None
    for number, name in enumerate(("cpu_thermal", "rpi_volt")):
        folder = tmp_path / "sys" / "class" / "hwmon" / f"hwmon{number}"
        folder.mkdir(parents=True)
        (folder / "name").write_text(name + "\n")
    if alarm:
        (tmp_path / "sys/class/hwmon/hwmon1/in0_lcrit_alarm").write_text(alarm)
    assert board.under_voltage(tmp_path) is expected
