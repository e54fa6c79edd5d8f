"""The settings on the memory card under a real systemd: taken, checked and answered before the glasses start."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest

pytestmark = pytest.mark.slow

CARD: Final = "cuelens-card.service"
CHECK: Final = "cuelens-card-check.service"
COUNTRY: Final = "cuelens-country.service"
GLASSES: Final = "cuelens.service"
FILE: Final = "/boot/firmware/cuelens.toml"
ANSWER: Final = "/boot/firmware/cuelens-answer.txt"
IN_FORCE: Final = "/etc/cuelens/cuelens.toml"
EDITED: Final = '[camera]\nsource = "/opt/cuelens/still.avi"\nfps = 10\n'
WANTED: Final = (
    'language = "de"\r\ncountry = "AT"\r\n[camera]\r\nsource = "/opt/cuelens/still.avi"\r\n'
    '[pins]\r\nfactory = "mock"\r\n[speaker]\r\ndevice = "null"\r\n'
)


@pytest.fixture
def booting(board: Any) -> Iterator[Any]:
    """A board that has not started the glasses, with settings that somebody wrote on it."""
    board.write(IN_FORCE, EDITED)
    board.does("sh", "-c", "rm -rf /boot/firmware /var/lib/cuelens-card /var/lib/cuelens/profiles/*.json")
    board.does("sh", "-c", "rm -f /etc/cuelens/country /etc/cuelens/cuelens-*.toml")
    board.run("systemctl", "reset-failed", CARD)
    board.look_from_now_on()
    yield board
    board.run("systemctl", "stop", GLASSES)


def boot(board: Any, content: str | None = None) -> None:
    """Start what a boot starts, after a change of the card."""
    if content is not None:
        board.write(FILE, content)
    board.run("systemctl", "stop", GLASSES, CARD, COUNTRY)
    board.look_from_now_on()
    board.run("systemctl", "start", CARD, COUNTRY, GLASSES)
    assert board.shown(GLASSES, "ActiveState") == "active", board.journal()


def answer(board: Any) -> str:
    return " ".join(board.does("cat", ANSWER).split())


def test_a_new_card_is_taken_checked_and_answered_before_the_glasses_start(booting: Any) -> None:
    boot(booting, WANTED)
    assert booting.shown(CARD, "Result") == "success", booting.journal(CARD) + booting.journal(CHECK)
    said = answer(booting)
    assert "The file is right, and in force." in said
    assert "What stood there is kept as /etc/cuelens/cuelens-1.toml" in said
    assert "language the first profile has de" in said
    # The user of the glasses looked, in their sandbox.
    assert "ok camera still.avi: a frame of 160x120" in said
    assert "ok disk /var/lib/cuelens can be written to" in said
    assert "did not come to its end" not in said
    assert booting.does("cat", "/etc/cuelens/cuelens-1.toml") == EDITED
    assert booting.does("stat", "-c", "%U %a", "/var/lib/cuelens/profiles/default.json") == "cuelens 600\n"
    assert booting.does("stat", "-c", "%U %a", IN_FORCE) == "root 644\n"
    assert booting.does("stat", "-c", "%U %a", "/var/lib/cuelens-card") == "root 700\n"
    assert "iw reg set AT" in booting.journal(COUNTRY)
    journal = booting.journal()
    taken = journal.index(f"Finished {CARD}")
    assert journal.index(f"Finished {CHECK}") < taken < journal.index(f"Starting {GLASSES}")
    assert taken < journal.index(f"Starting {COUNTRY}")
    assert "de" in booting.does("cat", "/var/lib/cuelens/profiles/default.json")


def test_a_boot_with_nothing_new_starts_no_python(booting: Any) -> None:
    boot(booting, WANTED)
    before = booting.does("stat", "-c", "%y", ANSWER)
    boot(booting)
    assert "Skipped due to 'exec-condition'" in booting.journal(CARD)
    # `take` would say that the file is as it was.
    assert FILE not in booting.journal(CARD)
    assert booting.journal(CHECK) == ""
    assert booting.does("stat", "-c", "%y", ANSWER) == before
    # The kernel forgets it, and is told at each boot.
    assert "iw reg set AT" in booting.journal(COUNTRY)


def test_a_card_with_mistakes_is_answered_and_the_glasses_start_as_before(booting: Any) -> None:
    boot(booting, WANTED)
    before = booting.does("cat", IN_FORCE)
    boot(booting, WANTED.replace("factory", "factry"))
    assert (booting.shown(CARD, "Result"), booting.shown(CARD, "ExecMainStatus")) == ("exit-code", "3")
    assert f"Starting {GLASSES}" in booting.journal(GLASSES)
    assert 'there is no key "factry" in pins: did you mean "factory"?' in answer(booting)
    assert re.search(r"cuelens\.toml: line 6, column 1: there is no key", booting.journal(CARD))
    assert booting.does("cat", IN_FORCE) == before
    boot(booting)
    assert "Skipped due to 'exec-condition'" in booting.journal(CARD)


def test_a_check_that_hangs_is_told_and_the_glasses_start(booting: Any) -> None:
    sooner = f"/etc/systemd/system/{CHECK}.d/sooner.conf"
    booting.write(sooner, "[Service]\nTimeoutStartSec=4\nExecStartPre=sleep 100\n")
    booting.does("systemctl", "daemon-reload")
    boot(booting, WANTED)
    booting.does("rm", sooner)
    booting.does("systemctl", "daemon-reload")
    assert "The check did not come to its end" in answer(booting)
    assert "The file is right, and in force." in answer(booting)
    boot(booting)
    assert "Skipped due to 'exec-condition'" in booting.journal(CARD)
