"""Safe mode: which starts are counted, what is taken back, and what is kept as good."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from cuelens.health.safe_mode import Begun, Part, Starts, digest

BOOT, NEXT_BOOT = "a-boot", "the-next-boot"


class Glasses:
    """What starts of glasses do with the three files and the record. Each start is a process of its own."""

    def __init__(self, state: Path) -> None:
        self.state = state
        self.paths: dict[Part, Path] = {
            "settings": state / "etc.toml",
            "bundle": state / "chosen.tflite",
            "profile": state / "profiles" / "default.json",
        }
        self.paths["profile"].parent.mkdir()
        self.boot = BOOT
        for part in self.paths:
            self.write(part, "good")

    def write(self, part: Part, text: str) -> None:
        self.paths[part].write_text(f"{part}: {text}")

    def start(self) -> tuple[Starts, Begun]:
        starts = Starts(self.state, self.boot)
        return starts, starts.begin(self.paths)

    def crash(self) -> Begun:
        return self.start()[1]

    def good_minute(self) -> None:
        starts, _ = self.start()
        assert starts.good(self.paths) == ""


@pytest.fixture
def glasses(tmp_path: Path) -> Glasses:
    return Glasses(tmp_path)


def test_after_two_starts_that_did_not_finish_what_was_changed_is_taken_back(glasses: Glasses) -> None:
    glasses.good_minute()
    glasses.write("settings", "bad")
    assert [glasses.crash().taken_back for _ in range(3)] == [(), (), ("settings",)]
    starts, begun = glasses.start()
    assert begun.taken_back == ("settings",)
    kept = starts.kept("settings")
    assert kept is not None
    assert kept.read_text() == "settings: good"
    # Nothing of anybody's is changed.
    assert glasses.paths["settings"].read_text() == "settings: bad"


def test_what_is_taken_back_stays_so_until_somebody_changes_it(glasses: Glasses) -> None:
    glasses.good_minute()
    glasses.write("profile", "bad")
    glasses.crash()
    glasses.crash()
    # A good minute in safe mode does not make good what was taken back, and the next day does not try it again.
    starts, begun = glasses.start()
    assert begun.taken_back == ("profile",)
    assert starts.good(glasses.paths) == ""
    glasses.boot = NEXT_BOOT
    assert glasses.start()[1] == Begun(starts=1, taken_back=("profile",))
    glasses.write("profile", "mended")
    assert [glasses.crash().taken_back for _ in range(3)] == [(), (), ("profile",)]


@pytest.mark.parametrize("changed", [("settings",), ("bundle",), ("profile",), ("settings", "bundle", "profile")])
def test_only_what_was_changed_is_taken_back(glasses: Glasses, changed: tuple[Part, ...]) -> None:
    glasses.good_minute()
    for part in changed:
        glasses.write(part, "bad")
    glasses.crash()
    glasses.crash()
    assert glasses.crash().taken_back == changed


def nothing(_: Glasses) -> None: ...


def other_boot(glasses: Glasses) -> None:
    glasses.boot = NEXT_BOOT


def stopped(glasses: Glasses) -> None:
    glasses.start()[0].finish()


@pytest.mark.parametrize(
    ("between", "expected"),
    [(nothing, ("bundle",)), (other_boot, ()), (stopped, ()), (Glasses.good_minute, ())],
)
def test_a_pulled_battery_a_stop_and_a_good_minute_end_the_row(
    glasses: Glasses, between: Callable[[Glasses], None], expected: tuple[Part, ...]
) -> None:
    glasses.good_minute()
    glasses.write("bundle", "changed")
    glasses.crash()
    between(glasses)
    glasses.crash()
    assert glasses.crash().taken_back == expected


def test_without_a_change_nothing_is_taken_back_however_often_it_fails(glasses: Glasses) -> None:
    glasses.good_minute()
    assert [glasses.crash().taken_back for _ in range(5)] == [()] * 5


def test_without_a_good_minute_there_is_nothing_to_go_back_to(glasses: Glasses) -> None:
    assert [glasses.crash().taken_back for _ in range(5)] == [()] * 5


@pytest.mark.parametrize(("settings", "expected"), [("good", ()), ("bad", ("settings",))])
def test_a_camera_that_hangs_speaks_against_the_settings_alone(
    glasses: Glasses, settings: str, expected: tuple[Part, ...]
) -> None:
    glasses.good_minute()
    glasses.write("settings", settings)
    glasses.write("profile", "of this afternoon")
    for _ in range(2):
        glasses.start()[0].lost_camera()
    assert glasses.crash().taken_back == expected


def test_one_crash_of_another_kind_speaks_against_all(glasses: Glasses) -> None:
    glasses.good_minute()
    glasses.write("profile", "bad")
    glasses.start()[0].lost_camera()
    glasses.crash()
    assert glasses.crash().taken_back == ("profile",)


def test_a_file_that_was_not_there_is_good_too(glasses: Glasses) -> None:
    glasses.paths["settings"].unlink()
    glasses.good_minute()
    glasses.write("settings", "bad")
    glasses.crash()
    glasses.crash()
    starts, begun = glasses.start()
    assert (begun.taken_back, starts.kept("settings")) == (("settings",), None)


def test_what_was_changed_while_they_ran_is_not_called_good(glasses: Glasses) -> None:
    glasses.good_minute()
    starts, _ = glasses.start()
    glasses.write("bundle", "changed a moment ago")
    assert starts.good(glasses.paths) == ""
    kept = starts.kept("bundle")
    assert kept is not None
    assert kept.read_text() == "bundle: good"


def test_a_part_that_was_never_good_is_not_taken_back(glasses: Glasses) -> None:
    starts, _ = glasses.start()
    glasses.write("settings", "changed in the first minute")
    assert starts.good(glasses.paths) == ""
    assert starts.kept("settings") is None
    glasses.write("settings", "bad")
    glasses.write("bundle", "bad")
    glasses.crash()
    glasses.crash()
    assert glasses.crash().taken_back == ("bundle",)


def test_a_good_file_that_is_gone_leaves_the_defaults(glasses: Glasses) -> None:
    glasses.good_minute()
    (glasses.state / "good" / "cuelens.toml").unlink()
    glasses.write("settings", "bad")
    glasses.crash()
    glasses.crash()
    starts, begun = glasses.start()
    assert (begun.taken_back, starts.kept("settings")) == (("settings",), None)


def test_a_profile_that_was_taken_while_they_ran_is_good_after_its_minute(glasses: Glasses) -> None:
    glasses.good_minute()
    starts, _ = glasses.start()
    glasses.write("profile", "new")
    starts.changed("profile", glasses.paths["profile"])
    assert starts.good(glasses.paths) == ""
    assert [glasses.crash().taken_back for _ in range(4)] == [()] * 4


def test_starts_are_counted_since_the_board_was_switched_on(glasses: Glasses) -> None:
    assert [glasses.start()[1].starts for _ in range(3)] == [1, 2, 3]
    glasses.boot = NEXT_BOOT
    assert glasses.start()[1].starts == 1


@pytest.mark.parametrize("content", [b"", b"{", b'{"schema": 7}', b"\xff\xfe\x00", b'{"good": {"soul": "1"}}'])
def test_a_damaged_record_is_begun_anew(glasses: Glasses, content: bytes) -> None:
    (glasses.state / "starts.json").write_bytes(content)
    assert glasses.start()[1] == Begun(starts=1, taken_back=())


def test_a_record_that_cannot_be_written_makes_no_start_fail(glasses: Glasses) -> None:
    (glasses.state / "starts.json").mkdir()
    assert glasses.start()[1] == Begun(starts=1, taken_back=())


def test_a_good_file_that_cannot_be_kept_is_said(glasses: Glasses) -> None:
    (glasses.state / "good").write_text("no folder")
    starts, _ = glasses.start()
    assert "cannot be written to" in starts.good(glasses.paths)


def test_a_device_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert digest(tmp_path / "pipe") == digest(Path("/dev/zero")) == "unreadable"
    assert digest(tmp_path / "nowhere") == digest(None) == "none"
