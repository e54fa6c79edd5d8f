"""The backend of RAUC for the Raspberry Pi's firmware, and the firmware's stand-in, on folders instead of a card."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "device" / "image" / "rootfs" / "usr" / "lib" / "cuelens-image"


class Slots:
    """The program `slots` with a card and a data partition of its own."""

    def __init__(self, folder: Path) -> None:
        self.card = folder / "card"
        self.data = folder / "data"
        self.card.mkdir()
        for name in ("slot.txt", "try.txt"):
            (self.card / name).write_text(f"{'os_prefix=A/':31}\n")

    def __call__(self, *words: str) -> str:
        done = self.ended(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def ended(self, *words: str) -> "subprocess.CompletedProcess[str]":
        environment = os.environ | {"CUELENS_CARD": str(self.card), "CUELENS_SLOTS": str(self.data)}
        return subprocess.run(
            ["sh", str(PROGRAMS / "slots"), *words], env=environment, capture_output=True, text=True, check=False
        )

    def good(self) -> str:
        return (self.card / "slot.txt").read_text().strip()


@pytest.fixture
def slots(tmp_path: Path) -> Slots:
    return Slots(tmp_path)


def test_what_is_installed_is_tried_and_the_good_root_stays_until_the_verdict(slots: Slots) -> None:
    assert slots("get-primary") == "A"
    slots("set-state", "B", "bad")
    slots("set-primary", "B")
    assert (slots("get-primary"), slots("get-state", "B"), slots.good()) == ("B", "good", "os_prefix=A/")
    assert (slots.card / "try.txt").read_text().strip() == "os_prefix=B/"
    assert (slots.data / "try").read_text() == "B 0\n"


def test_a_good_verdict_keeps_what_was_tried(slots: Slots) -> None:
    slots("set-primary", "B")
    slots("set-state", "B", "good")
    assert (slots("get-primary"), slots.good()) == ("B", "os_prefix=B/")
    assert not (slots.data / "try").exists()


def test_a_bad_verdict_leaves_it(slots: Slots) -> None:
    slots("set-primary", "B")
    slots("set-state", "B", "bad")
    assert (slots("get-primary"), slots("get-state", "B"), slots.good()) == ("A", "bad", "os_prefix=A/")


def test_a_good_mark_of_the_other_root_decides_nothing(slots: Slots) -> None:
    slots("set-primary", "B")
    slots("set-state", "A", "good")
    assert (slots("get-primary"), slots.good()) == ("B", "os_prefix=A/")


def test_the_choice_is_written_in_place_within_a_sector(slots: Slots) -> None:
    file = slots.card / "slot.txt"
    before = file.stat()
    slots("set-primary", "B")
    slots("set-state", "B", "good")
    assert (file.stat().st_ino, file.stat().st_size) == (before.st_ino, before.st_size)
    assert before.st_size <= 512


@pytest.mark.parametrize(
    "words", [[], ["set-primary", "C"], ["get-state", "../A"], ["set-state", "A", "splendid"], ["help"]]
)
def test_a_wrong_order_is_refused_and_changes_nothing(slots: Slots, words: list[str]) -> None:
    done = slots.ended(*words)
    assert done.returncode == 1
    assert done.stderr.startswith("slots: ")
    assert slots.good() == "os_prefix=A/"


def test_the_programs_are_clean_for_a_plain_shell() -> None:
    for program in [*PROGRAMS.iterdir(), ROOT / "device" / "image" / "init", ROOT / "device" / "image" / "grow"]:
        if program.suffix != ".txt":
            done = subprocess.run(["dash", "-n", str(program)], capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stderr
