"""The shell programs of the memory card's settings: whether there is anything new, and the country for the radio."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[2] / "systemd"
CARD = b'country = "DE"\r\n'


def remembers(state: Path) -> None:
    (state / "cuelens.toml").write_bytes(CARD)


def gave(state: Path) -> None:
    remembers(state)
    (state / "given").mkdir()
    for name in ("cuelens.toml", "country"):
        (state / "given" / name).write_bytes(b"x")


def unfinished(state: Path) -> None:
    remembers(state)
    (state / "unfinished").touch()


def odd(state: Path) -> None:
    (state / "odd").write_text("41ed 4096 1\n")


def file(card: Path) -> None:
    card.write_bytes(CARD)


def other(card: Path) -> None:
    card.write_bytes(CARD + b"#")


def huge(card: Path) -> None:
    with card.open("wb") as content:
        content.truncate(3_000_000_000)


def nothing(_: Path) -> None:
    pass


@pytest.mark.parametrize(
    ("card", "state", "etc", "changed"),
    [
        (nothing, nothing, (), False),
        (nothing, remembers, (), False),
        (file, nothing, (), True),
        (file, remembers, (), False),
        (other, remembers, (), True),
        (huge, remembers, (), True),
        (huge, odd, (), True),
        (Path.mkdir, remembers, (), True),
        (Path.mkdir, odd, (), True),
        # It would never be read to its end.
        (os.mkfifo, remembers, (), True),
        (file, unfinished, (), True),
        (nothing, unfinished, (), False),
        (file, gave, ("cuelens.toml", "country"), False),
        (file, gave, ("cuelens.toml",), True),
        (file, gave, ("country",), True),
        (other, gave, ("cuelens.toml", "country"), True),
    ],
)
def test_a_boot_knows_without_python_whether_the_card_has_something_new(
    tmp_path: Path,
    card: Callable[[Path], None],
    state: Callable[[Path], None],
    etc: tuple[str, ...],
    changed: bool,
) -> None:
    for name in ("state", "etc"):
        (tmp_path / name).mkdir()
    card(tmp_path / "cuelens.toml")
    state(tmp_path / "state")
    for name in etc:
        (tmp_path / "etc" / name).touch()
    done = subprocess.run(
        [SYSTEMD / "card-changed", tmp_path / "cuelens.toml", tmp_path / "etc"],
        env=os.environ | {"STATE_DIRECTORY": str(tmp_path / "state")},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0 if changed else 2, "", "")


def test_nothing_new_is_no_success_of_the_unit() -> None:
    """Where a status is a success, systemd takes it of ExecCondition= for a yes."""
    (statuses,) = re.findall(r"^SuccessExitStatus=(.*)$", (SYSTEMD / "cuelens-card.service").read_text(), re.MULTILINE)
    assert statuses.split() == ["1"]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("DE\n", "reg set DE"),
        ("GB", "reg set GB"),
        ("de\n", ""),
        ("DEU\n", ""),
        ("D\n", ""),
        ("DE AT\n", ""),
        ("\u00c4T\n", ""),
        ("$(touch owned)\n", ""),
        ("", ""),
    ],
)
def test_the_radio_is_told_two_letters_and_nothing_else(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "bin").mkdir()
    iw = tmp_path / "bin" / "iw"
    iw.write_text('#!/bin/sh\necho "$*"\n')
    iw.chmod(0o755)
    (tmp_path / "country").write_text(content)
    done = subprocess.run(
        [SYSTEMD / "set-country", tmp_path / "country"],
        env=os.environ | {"PATH": f"{iw.parent}:{os.environ['PATH']}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0 if told else 1, told)
    assert len(done.stderr.splitlines()) == (0 if told else 1)
    assert not (tmp_path / "owned").exists()


def test_without_a_country_the_radio_is_left_alone(tmp_path: Path) -> None:
    done = subprocess.run([SYSTEMD / "set-country", tmp_path / "country"], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
