"""Every lamp goes dark after the daemon, by a shell and gpioset alone, and a glimmer tells of a failure."""

import itertools
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from cuelens.adapters import last_resort
from cuelens.profile.profile import Brightness, Profile
from cuelens.settings import Pins, SingleLed

LIGHTS_OUT = Path(__file__).parents[2] / "systemd" / "lights-out"
STAND_IN = Path(__file__).parent / "gpioset"
VERSIONS = ["1.6.3", "2.2.1"]
RISES_APART_S = 0.35
FAILED = {"EXIT_CODE": "exited", "EXIT_STATUS": "3"}


@dataclass
class Bench:
    """A folder with what the daemon left, and a gpioset that writes down what it is asked for."""

    state: Path
    version: str

    def leave(self, pins: Pins | None = None, light: Brightness | None = None) -> None:
        last_resort.leave_lamps(0, pins or Pins())
        last_resort.leave_profile(Profile(light=light or Brightness()), device=None)

    def put_out(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.state / 'bin'}:{os.environ['PATH']}"
        own = {"PATH": path, "STATE_DIRECTORY": str(self.state), "GPIOSET_LOG": str(self.state / "log")}
        return subprocess.run(
            [LIGHTS_OUT, *arguments],
            env=own | {"GPIOSET_VERSION": self.version} | environment,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def driven(self) -> list[tuple[float, int, int]]:
        """Return time in seconds, pin and level of everything that was driven."""
        log = self.state / "log"
        lines = re.findall(r"^([\d.]+) (\d+)=([01])$", log.read_text() if log.exists() else "", re.MULTILINE)
        return [(float(t), int(pin), int(level)) for t, pin, level in lines]

    def levels(self, pin: int) -> list[int]:
        return [level for _, number, level in self.driven() if number == pin]


@pytest.fixture(params=VERSIONS)
def bench(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gpioset").symlink_to(STAND_IN)
    return Bench(tmp_path, request.param)


SINGLE = (SingleLed(pin=5, colour="#0000FF"), SingleLed(pin=6, colour="#FFC000"))


@pytest.mark.parametrize(
    ("pins", "dark", "orange"),
    [
        (Pins(), {17: 0, 27: 0, 22: 0, 24: 0}, {17, 27}),
        (Pins(active_high=False), {17: 1, 27: 1, 22: 1, 24: 0}, {17, 27}),
        (Pins(red=2, green=3, blue=4, capture="none"), {2: 0, 3: 0, 4: 0}, {2, 3}),
        (Pins(single=SINGLE), {5: 0, 6: 0, 24: 0}, {6}),
        (Pins(single=SINGLE[:1], active_high=False, capture=7), {5: 1, 7: 0}, {5}),
    ],
)
def test_every_lamp_goes_dark_and_orange_glimmers_once_after_a_failure(
    bench: Bench, pins: Pins, dark: dict[int, int], orange: set[int]
) -> None:
    bench.leave(pins)
    done = bench.put_out()
    assert (done.returncode, done.stderr) == (0, "")
    assert {pin: bench.levels(pin) for pin in dark} == {pin: [level] for pin, level in dark.items()}
    assert len(bench.driven()) == len(dark)
    (bench.state / "log").unlink()
    done = bench.put_out(**FAILED)
    assert (done.returncode, done.stderr) == (0, "")
    assert {pin for _, pin, level in bench.driven() if level != dark[pin]} == orange
    for pin, level in dark.items():
        lit = [1 - level] if pin in orange else []
        assert bench.levels(pin) == [level, *lit, *[level] * (1 + len(lit))], "dark, the glimmer, dark"


@pytest.mark.parametrize(
    ("environment", "glimmers"),
    [
        ({}, 0),
        ({"EXIT_CODE": "exited", "EXIT_STATUS": "0"}, 0),
        (FAILED, 1),
        ({"EXIT_CODE": "exited", "EXIT_STATUS": "69"}, 1),
        # A hang is over sooner.
        ({"EXIT_CODE": "killed", "EXIT_STATUS": "KILL"}, 0),
        ({"EXIT_CODE": "dumped", "EXIT_STATUS": "SEGV"}, 0),
    ],
)
def test_which_ends_are_failures(bench: Bench, environment: dict[str, str], glimmers: int) -> None:
    bench.leave()
    assert bench.put_out(**environment).returncode == 0
    assert bench.levels(17).count(1) == glimmers


def test_glimmers_are_further_apart_than_a_second_and_come_late_after_another_light(bench: Bench) -> None:
    bench.leave()
    assert bench.put_out("3").returncode == 0
    (dark_s, *_), rises = bench.driven()[0], [t for t, pin, level in bench.driven() if pin == 17 and level == 1]
    assert len(rises) == 3
    assert rises[0] - dark_s > RISES_APART_S
    assert all(later - earlier > 1 for earlier, later in itertools.pairwise(rises))


@pytest.mark.parametrize(
    ("light", "longest_us"),
    [
        (Brightness(), 5000),
        (Brightness(ceiling_percent=4), 4000),
        (Brightness(night_percent=1), 1000),
        (Brightness(brightness_percent=0), 0),
    ],
)
def test_a_pulse_is_no_brighter_than_the_wearer_s_light(bench: Bench, light: Brightness, longest_us: int) -> None:
    bench.leave(light=light)
    assert (bench.state / "glimmer").read_text() == f"{longest_us}\n"
    assert bench.put_out(**FAILED).returncode == 0
    assert bench.levels(17).count(1) == (1 if longest_us else 0)
    asked_us = {int(us) for us in re.findall(r"^pulse (\d+)$", (bench.state / "log").read_text(), re.MULTILINE)}
    # Orange has less green than red; 1.6 does not end a pulse by itself.
    most_us = longest_us if bench.version == "2.2.1" else longest_us * 2 // 5
    assert asked_us == ({most_us, most_us * 438 // 1000} if longest_us else set())


@pytest.mark.parametrize("busy", [17, 22, 24])
def test_a_pin_that_is_busy_keeps_no_other_lamp_lit(bench: Bench, busy: int) -> None:
    bench.leave()
    done = bench.put_out(GPIOSET_BUSY=str(busy))
    assert "busy" in done.stderr
    assert {pin for _, pin, _ in bench.driven()} == {17, 27, 22, 24} - {busy}


@pytest.mark.parametrize(
    ("lamps", "driven", "status"),
    [
        (None, set(), 0),
        ("", set(), 1),
        ("chip 0\n", set(), 1),
        ("17 0 0\n", set(), 1),
        ("chip $(touch owned)\n17 0 0\n", set(), 1),
        ("chip 0;touch owned\n17 0 0\n", set(), 1),
        ("chip 0\n17 0 0\n$(touch owned) 0 0\n", {17}, 0),
        ("chip 0\n17 0 0\n* 0 0\n5 * 0\n6 2 0\n7 0\n8 0 0 0\n-9 0 0\n010 0 0\n", {17}, 0),
        ("chip 0\n17 0 $(touch owned)\n22 0 0\n", {22}, 0),
        ("chip 0\n17 0 0\n22 0 99999999999999999999\n", {17}, 0),
        ("\x00\xff\n", set(), 1),
    ],
)
def test_a_damaged_file_is_never_run(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, lamps: str | None, driven: set[int], status: int
) -> None:
    monkeypatch.chdir(bench.state)
    if lamps is not None:
        (bench.state / "lamps").write_text(lamps, encoding="latin-1")
    done = bench.put_out()
    assert done.returncode == status, done.stderr
    assert len(done.stderr.splitlines()) == status
    assert {pin for _, pin, _ in bench.driven()} == driven
    assert not (bench.state / "owned").exists()


@pytest.mark.parametrize("glimmer", ["", "x", "$(touch owned)", "5001", "-1", "0", "05", "99999999999999999999"])
def test_a_damaged_length_gives_no_pulse(bench: Bench, monkeypatch: pytest.MonkeyPatch, glimmer: str) -> None:
    monkeypatch.chdir(bench.state)
    bench.leave()
    (bench.state / "glimmer").write_text(f"{glimmer}\n")
    done = bench.put_out(**FAILED)
    assert (done.returncode, done.stderr) == (0, "")
    assert bench.levels(17) == [0]
    assert not (bench.state / "owned").exists()


def test_pipes_in_place_of_the_files_are_left_alone(bench: Bench) -> None:
    os.mkfifo(bench.state / "lamps")
    assert bench.put_out().returncode == 0
    (bench.state / "lamps").unlink()
    bench.leave()
    (bench.state / "glimmer").unlink()
    os.mkfifo(bench.state / "glimmer")
    assert bench.put_out(**FAILED).returncode == 0
    assert bench.levels(17) == [0]


def test_without_gpioset_its_package_is_named(bench: Bench) -> None:
    bench.leave()
    done = bench.put_out(PATH=str(bench.state))
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        1,
        "lights-out: gpioset cannot be run: sudo apt install gpiod",
    )


def real() -> list[str]:
    """Every gpioset to try: this machine's, and those of CUELENS_GPIOSET, which may be wrappers."""
    named = os.environ.get("CUELENS_GPIOSET", "").split(":")
    found = [*named, shutil.which("gpioset") or ""]
    return [path for path in found if path]


@pytest.mark.parametrize("gpioset", real() or [pytest.param("", marks=pytest.mark.skip("gpioset is not installed"))])
def test_the_real_gpioset_takes_every_word_and_misses_only_the_chip(
    gpioset: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gpioset").symlink_to(gpioset)
    bench = Bench(tmp_path, "")
    bench.leave()
    # No machine has that chip: nothing of a maker's own is driven.
    last_resort.leave_lamps(999, Pins())
    done = bench.put_out(**FAILED)
    missing = r"error setting the GPIO line values|cannot find GPIO chip character device '\w+'"
    # Dark, at once and lamp by lamp; two pulses, which talk at the same time and by pieces; dark again.
    assert len(re.findall(missing, done.stderr)) == 5 + 2 + 5
    assert re.sub(rf"\S*gpioset: |{missing}|: No such file or directory|\s", "", done.stderr) == ""
