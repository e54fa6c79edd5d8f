"""The shell programs of the units, beside lights-out: the alarm, the last reboot, the clock, and their installation."""

import os
import re
import stat
import subprocess
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[2] / "systemd"
RECORDER = '#!/bin/sh\necho "$(basename "$0") $*" >>"$RECORD"\n[ "$(basename "$0")" != "${FAILS:-}" ]\n'


def ran(
    program: str, folder: Path, *arguments: str, recorded: tuple[str, ...], **environment: str
) -> tuple[subprocess.CompletedProcess[str], list[str]]:
    """Run a program with others in place of those named in `recorded`. Returns the lines that these wrote down."""
    (folder / "bin").mkdir(exist_ok=True)
    for name in recorded:
        (folder / "bin" / name).write_text(RECORDER)
        (folder / "bin" / name).chmod(0o755)
    record = folder / "record"
    record.write_text("")
    done = subprocess.run(
        [SYSTEMD / program, *arguments],
        env={"PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "RECORD": str(record), "STATE_DIRECTORY": str(folder)}
        | environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done, record.read_text().splitlines()


@pytest.mark.parametrize(
    ("files", "played"),
    [
        ({}, None),
        ({"alarm.wav": "RIFF"}, "default"),
        ({"alarm.wav": "RIFF", "alarm.device": "plughw:CARD=Device,DEV=0\n"}, "plughw:CARD=Device,DEV=0"),
        ({"alarm.wav": "RIFF", "alarm.device": "$(touch owned); x\n"}, "$(touch owned); x"),
        ({"alarm.wav": "RIFF", "wearer.json": '{"muted":false}'}, "default"),
        ({"alarm.wav": "RIFF", "wearer.json": '{"muted":true,"paused":false}'}, None),
    ],
)
def test_the_alarm_plays_what_was_left_and_glimmers(tmp_path: Path, files: dict[str, str], played: str | None) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    (tmp_path / "lamps").write_text("chip 0\n17 0 1000\n")
    (tmp_path / "glimmer").write_text("5000\n")
    done, calls = ran("alarm", tmp_path, recorded=("aplay", "gpioset", "sleep"))
    assert (done.returncode, done.stderr) == (0, "")
    played_now = [call for call in calls if call.startswith("aplay")]
    assert played_now == ([f"aplay -q -D {played} {tmp_path}/alarm.wav"] if played else [])
    assert sum("us,0" in call for call in calls) == 3
    assert not (tmp_path / "owned").exists()


def test_an_alarm_without_a_sound_card_still_glimmers(tmp_path: Path) -> None:
    for name, content in {"alarm.wav": "RIFF", "lamps": "chip 0\n17 0 1000\n", "glimmer": "5000\n"}.items():
        (tmp_path / name).write_text(content)
    done, calls = ran("alarm", tmp_path, recorded=("aplay", "gpioset", "sleep"), FAILS="aplay")
    assert (done.returncode, done.stderr) == (0, "alarm: default cannot be played to\n")
    assert sum("us,0" in call for call in calls) == 3


REBOOT = ["systemctl --no-wall reboot"]
AGAIN = ["systemctl reset-failed cuelens.service", "systemctl --no-block start cuelens.service"]


@pytest.mark.parametrize(
    ("up", "stamp", "status", "expected"),
    [
        ("100.5 1.0", False, "1", REBOOT),
        ("100.5 1.0", True, "1", AGAIN),
        ("3599.99 1.0", True, "70", AGAIN),
        ("3600.00 1.0", True, "70", REBOOT),
        ("3600.00 1.0", False, "", REBOOT),
        # A package is missing.
        ("9999.00 1.0", False, "69", []),
        ("", False, "1", []),
    ],
)
def test_the_board_reboots_once_an_hour_at_most(
    tmp_path: Path, up: str, stamp: bool, status: str, expected: list[str]
) -> None:
    (tmp_path / "uptime").write_text(f"{up}\n" if up else "")
    if stamp:
        (tmp_path / "rebooted").touch()
    done, calls = ran(
        "reboot-at-last",
        tmp_path,
        recorded=("systemctl",),
        MONITOR_EXIT_STATUS=status,
        CUELENS_UPTIME=str(tmp_path / "uptime"),
        CUELENS_REST_S="0",
    )
    asked = ["systemctl show --property=ActiveState --value cuelens.service"] if status != "69" else []
    assert (done.returncode, calls) == (0 if up else 1, asked + expected), done.stderr
    assert (tmp_path / "rebooted").exists() == (stamp or expected == REBOOT)


@pytest.mark.parametrize(
    ("entered", "state", "expected", "says"),
    [
        ("200", "failed", [], "did not end in time: no reboot"),
        ("50", "failed", REBOOT, "the board reboots"),
        ("50", "activating", [], "was started anew: no reboot"),
        ("50", "active", [], "was started anew: no reboot"),
    ],
    ids=["the last start came to something", "it was an earlier one", "it is starting again", "it runs again"],
)
def test_glasses_that_somebody_stops_and_that_end_late_are_no_reason_for_a_reboot(
    tmp_path: Path, entered: str, state: str, expected: list[str], says: str
) -> None:
    told = f"*ActiveEnter*) echo {entered} ;; *InactiveExit*) echo 100 ;; *ActiveState*) echo {state} ;;"
    told = f'case "$*" in {told} *) echo "systemctl $*" >>"$RECORD" ;; esac'
    (tmp_path / "told").mkdir()
    (tmp_path / "told" / "systemctl").write_text(f"#!/bin/sh\n{told}\n")
    (tmp_path / "told" / "systemctl").chmod(0o755)
    path = f"{tmp_path / 'told'}:{os.environ['PATH']}"
    done, calls = ran("reboot-at-last", tmp_path, recorded=(), MONITOR_SERVICE_RESULT="timeout", PATH=path)
    assert (done.returncode, calls) == (0, expected), done.stderr
    assert says in done.stdout


def test_without_a_stamp_that_can_be_written_there_is_no_reboot(tmp_path: Path) -> None:
    done, calls = ran(
        "reboot-at-last", tmp_path, recorded=("systemctl",), STATE_DIRECTORY="/nowhere", CUELENS_REST_S="0"
    )
    assert calls[1:] == AGAIN
    assert "the stamp cannot be written" in done.stdout


@pytest.mark.parametrize(
    ("content", "set_to"),
    [
        ("1793000000\n", "@1793000000"),
        ("1793000000", "@1793000000"),
        ("1793000000 \n", "@1793000000"),
        ("", None),
        ("\n", None),
        ("0\n", None),
        ("4000000001\n", None),
        ("17930000000000\n", None),
        ("-5\n", None),
        ("1793000000 1\n", None),
        ("1793000000;touch owned\n", None),
        ("$(touch owned)\n", None),
        ("99999999999999999999999999\n", None),
    ],
)
def test_the_clock_is_set_to_a_time_of_today_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str, set_to: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clock").write_text(content)
    done, calls = ran("set-clock", tmp_path, str(tmp_path / "clock"), recorded=("date",))
    assert calls == ([f"date --utc --set={set_to}"] if set_to else [])
    assert (done.returncode, len(done.stderr.splitlines())) == ((0, 0) if set_to else (1, 1))
    assert not (tmp_path / "owned").exists()


def test_no_time_left_and_a_pipe_in_its_place_are_passed_over(tmp_path: Path) -> None:
    done, calls = ran("set-clock", tmp_path, str(tmp_path / "clock"), recorded=("date",))
    assert (done.returncode, done.stderr, calls) == (0, "", [])
    os.mkfifo(tmp_path / "clock")
    done, calls = ran("set-clock", tmp_path, str(tmp_path / "clock"), recorded=("date",))
    assert (done.returncode, done.stderr, calls) == (0, "", [])


def make(target: str, root: Path, **variables: str) -> str:
    command = ["make", "-s", target, f"DESTDIR={root}", *(f"{name}={value}" for name, value in variables.items())]
    done = subprocess.run(command, cwd=SYSTEMD.parent, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def files(root: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(path.relative_to(root)): (path.read_bytes(), stat.S_IMODE(path.stat().st_mode))
        for path in root.rglob("*")
        if path.is_file()
    }


def test_everything_is_installed_once_with_its_mode_and_goes_again(tmp_path: Path) -> None:
    old_umask = os.umask(0o077)
    try:
        said = make("install-units", tmp_path, REBOOT="1")
    finally:
        os.umask(old_umask)
    found = files(tmp_path)
    assert {f"{tmp_path}/{name}" for name in found} == {line.strip() for line in said.splitlines()}
    programs = {name for name in found if name.startswith("usr/lib/cuelens/")}
    assert {mode for name, (_, mode) in found.items() if name in programs} == {0o755}
    assert {mode for name, (_, mode) in found.items() if name not in programs} == {0o644}
    own = {path.name for path in SYSTEMD.iterdir()} - {"install-units"}
    assert len(found) == len(own)
    # Every program that a unit names is there, and nothing of the last rungs without a word.
    named = set(re.findall(r"/usr/lib/cuelens/[\w-]+", b"\n".join(content for content, _ in found.values()).decode()))
    assert {f"/{name}" for name in programs} == named
    make("install-units", tmp_path, REBOOT="1")
    assert files(tmp_path) == found
    make("install-units", tmp_path)
    assert found.keys() - files(tmp_path).keys() == {
        "etc/systemd/system/cuelens-reboot.service",
        "etc/systemd/system/cuelens.service.d/reboot.conf",
        "etc/systemd/system.conf.d/60-cuelens-watchdog.conf",
        "usr/lib/cuelens/reboot-at-last",
    }
    make("uninstall-units", tmp_path)
    assert files(tmp_path) == {}


def test_another_place_of_the_program_stands_in_every_unit(tmp_path: Path) -> None:
    make("install-units", tmp_path, PREFIX="/srv/glasses")
    units = "".join(content.decode() for name, (content, _) in files(tmp_path).items() if name.endswith(".service"))
    assert "/opt/cuelens" not in units
    assert "ExecStart=/srv/glasses/bin/cuelens run" in units


@pytest.mark.parametrize("prefix", ["opt", "/a b", "/a,b", "/$(id)"])
def test_a_prefix_that_is_no_plain_path_is_refused(tmp_path: Path, prefix: str) -> None:
    done = subprocess.run(
        [SYSTEMD / "install-units", "install"],
        env={"PATH": os.environ["PATH"], "DESTDIR": str(tmp_path), "PREFIX": prefix},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert files(tmp_path) == {}
