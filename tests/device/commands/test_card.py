"""The settings on the memory card: what is taken, what is refused, and what the answer says, on real folders."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cuelens import settings
from cuelens.commands import card, card_file
from cuelens.commands.card import Places, take
from cuelens.commands.card_memory import look
from cuelens.commands.card_parts import Parts, by_unit
from cuelens.commands.countries import CODES
from cuelens.profile import language
from cuelens.settings import Pins, Settings, SingleLed, Speaker
from cuelens_models.errors import BadInput

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = ROOT / "examples" / "card.toml"
CHANGED = ROOT / "systemd" / "card-changed"
WELL = Parts(("ok        camera    a frame",), True)


@dataclass
class Glasses:
    """Folders in place of the card's and the board's, and who checks the parts.

    Attributes:
        folder: of all.
        found: what the check says.
        asked: the languages that the check was asked for.
    """

    folder: Path
    found: Parts = WELL
    asked: list[str] = field(default_factory=list)

    @property
    def places(self) -> Places:
        return Places(self.folder / "card", self.folder / "etc", self.folder / "state")

    @property
    def file(self) -> Path:
        return self.places.card / "cuelens.toml"

    @property
    def in_force(self) -> Path:
        return self.places.etc / "cuelens.toml"

    def check(self, code: str) -> Parts:
        self.asked.append(code)
        return self.found

    def take(self, content: str | bytes | None = None) -> int:
        """Write the card's file, unless it stays, and have it taken."""
        if content is not None:
            self.file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return take(self.places, self.check)

    def answer(self) -> str:
        content = (self.places.card / "cuelens-answer.txt").read_bytes()
        assert content.count(b"\n") == content.count(b"\r\n") > 5
        # A path is a word, and words stay whole.
        assert all(len(line) < 100 or " " not in line.strip() for line in content.decode().splitlines())
        return " ".join(content.decode("utf-8-sig").split())

    def changed(self) -> bool:
        """Whether the next boot would start Python."""
        done = subprocess.run(
            [CHANGED, self.file, self.places.etc],
            env=os.environ | {"STATE_DIRECTORY": str(self.places.state)},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
        assert done.stderr == ""
        return {0: True, 2: False}[done.returncode]


@pytest.fixture
def glasses(tmp_path: Path) -> Glasses:
    (tmp_path / "card").mkdir()
    return Glasses(tmp_path)


@pytest.fixture
def mount() -> Iterator[Callable[..., None]]:
    """Mounts a file system over a folder until the end of the test."""
    with ExitStack() as ending:

        def over(folder: Path, *words: str) -> None:
            command = ["mount", *words, str(folder)]
            if os.geteuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode:
                pytest.skip("only root can mount a file system, and not of each kind on every machine")
            ending.callback(subprocess.run, ["umount", "--lazy", str(folder)], check=True)

        yield over


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_unchanged_template_changes_nothing(glasses: Glasses) -> None:
    assert glasses.take(TEMPLATE.read_bytes()) == 0
    assert not glasses.places.etc.exists()
    assert "All in it is as the glasses come." in glasses.answer()
    assert glasses.asked == [""]


def test_the_unchanged_template_leaves_settings_that_are_there(glasses: Glasses) -> None:
    glasses.places.etc.mkdir()
    glasses.in_force.write_text("[camera]\nrotation = 90\n")
    assert glasses.take(TEMPLATE.read_bytes()) == 0
    assert files(glasses.places.etc) == {"cuelens.toml": b"[camera]\nrotation = 90\n"}


EDITED = TEMPLATE.read_text().replace("rotation = 0", "rotation = 180").replace('country = ""', 'country = "de"')


@pytest.mark.parametrize(
    "content",
    [
        EDITED.encode(),
        EDITED.replace("\n", "\r\n").encode(),
        EDITED.replace("\n", "\r").encode(),
        EDITED.replace("\n", "\r\n").encode("utf-8-sig"),
        EDITED.replace("\n", "\r\n").encode("utf-16"),
        b'country = "DE"\n[camera]\nrotation = 180.0',
        "# Für Mia\r\ncountry = 'De'\r\ncamera.rotation = 180\r\n".encode(),
    ],
)
def test_a_file_is_taken_as_editors_write_it(glasses: Glasses, content: bytes) -> None:
    assert glasses.take(content) == 0
    assert settings.read(glasses.in_force).camera.rotation == 180
    assert (glasses.places.etc / "country").read_text() == "DE\n"
    assert "camera.rotation = 180" in glasses.answer()
    assert "ok camera a frame" in glasses.answer()
    # The glasses are another user.
    assert {path.stat().st_mode & 0o777 for path in glasses.places.etc.iterdir()} == {0o644}


WRONG = [
    ("[camera]\nrotaton = 90\n", 'line 2, column 1: there is no key "rotaton" in camera: did you mean "rotation"?'),
    ("\r\n[camera]\r\nrotation = 45\r\n", "line 3, column 1: camera.rotation must be 0, 90, 180 or 270, not 45"),
    (
        "[pins]\nred = 5\ngreen = 5\n",
        "line 3, column 1: pins.red and pins.green are both 5: give each a pin of its own",
    ),
    ('country = "Germany"\n', 'of one country in ISO 3166, or empty, not "Germany", such as "DE" for Germany'),
    (
        '\ncountry = "UK"\n',
        'line 2, column 1: country must be the two letters of one country in ISO 3166, or empty, not "UK": did',
    ),
    ("country = 49\n", "line 1, column 1: country must be a text, not 49"),
    ('country = "ZZ"\n', 'not "ZZ"'),
    ('country = "D\\u0116"\n', "country must be the two letters"),
    (
        'language = "german"\n',
        f'line 1, column 1: language must be one of {", ".join(language.available())}, or empty, not "german"',
    ),
    (
        '[camera]\nlanguage = "de"\n',
        'line 2, column 1: there is no key "language" in camera: it stands above the first line',
    ),
    (
        "[camera]\nsource = \u201cv4l2:0\u201d\n",
        'line 2, column 10: text stands in straight quotes, "like this", not in curly ones',
    ),
    ("country = DE\n", "line 1, column 11: this cannot be read: expected key = value with text in double quotes"),
    ("[camera]\nfps = 15\nfps = 10\n", "stands there twice: keep one"),
    ('[camera\nsource = "demo"\n', "line 1, column 8"),
    ("", "cuelens.toml is empty"),
    (b"# f\xfcr Mia\n", "is not in UTF-8 at line 1: save it with the encoding UTF-8"),
    (b"\xff\xfeA", "is not in UTF-8"),
    (b"\0" * 600, "an invisible character stands here"),
    (b"# " + b"x" * 1_000_000, "cuelens.toml is over 1 MB: expected a short text"),
]


@pytest.mark.parametrize(("content", "sentence"), WRONG)
def test_a_mistake_is_told_with_its_line_and_nothing_is_taken(
    glasses: Glasses, capsys: pytest.CaptureFixture[str], content: str | bytes, sentence: str
) -> None:
    assert glasses.take('language = "de"\ncountry = "FR"\n[camera]\nrotation = 90\n') == 0
    before = files(glasses.places.etc)
    capsys.readouterr()
    assert glasses.take(content) == 3
    assert files(glasses.places.etc) == before
    assert "Nothing of it was taken" in glasses.answer()
    assert sentence in glasses.answer()
    assert str(glasses.folder) not in glasses.answer()
    assert sentence in capsys.readouterr().err
    # The parts are told all the same, and no language is taken from a file with a mistake.
    assert "ok camera a frame" in glasses.answer()
    assert glasses.asked == ["de", ""]
    assert not glasses.changed()


def test_all_mistakes_are_told_at_once(glasses: Glasses) -> None:
    assert glasses.take('language = "xx"\ncountry = "YY"\n[camera]\nrotation = 1\nwidht = 2\n[lens]\nx = 1\n') == 3
    assert "The file has 5 mistakes." in glasses.answer()
    assert [glasses.answer().count(f"line {line}, column 1") for line in (1, 2, 4, 5, 7)] == [1] * 5


def as_folder(file: Path) -> None:
    file.mkdir()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [(as_folder, "cuelens.toml cannot be read: Is a directory"), (os.mkfifo, "is a device or a pipe, no regular file")],
)
def test_what_is_no_file_is_told_once(glasses: Glasses, make: Callable[[Path], None], sentence: str) -> None:
    glasses.take("[camera]\nrotation = 90\n")
    glasses.file.unlink()
    make(glasses.file)
    assert glasses.changed()
    assert glasses.take() == 3
    assert sentence in glasses.answer()
    assert not glasses.changed()
    assert (glasses.take(), len(glasses.asked)) == (0, 2)
    # The same file as before is an answer to the sentence.
    glasses.file.rmdir() if glasses.file.is_dir() else glasses.file.unlink()
    glasses.file.write_text("[camera]\nrotation = 90\n")
    assert glasses.changed()
    assert glasses.take() == 0
    assert "in force" in glasses.answer()


def test_a_file_that_was_answered_is_passed_over(glasses: Glasses, capsys: pytest.CaptureFixture[str]) -> None:
    assert glasses.take("[camera]\nrotation = 90\n") == 0
    before = files(glasses.folder)
    assert not glasses.changed()
    capsys.readouterr()
    assert glasses.take() == 0
    assert files(glasses.folder) == before
    assert glasses.asked == [""]
    assert "is as it was: nothing is taken" in capsys.readouterr().out


def test_without_a_file_or_a_card_nothing_happens(glasses: Glasses) -> None:
    assert not glasses.changed()
    assert glasses.take() == 0
    assert files(glasses.folder) == {}
    glasses.places.card.rmdir()
    with pytest.raises(BadInput, match="card is no folder"):
        glasses.take()


def test_an_edit_on_the_glasses_holds_until_the_card_says_other_settings_and_is_kept(glasses: Glasses) -> None:
    glasses.take("[camera]\nrotation = 90\n")
    edit = "[camera]\nrotation = 90\nfps = 10\n"
    glasses.in_force.write_text(edit)
    assert not glasses.changed()
    # A country is no setting, and a comment says nothing.
    assert glasses.take('country = "ES"\n# mine\n[camera]\nrotation = 90\n') == 0
    assert glasses.in_force.read_text() == edit
    assert glasses.take("[camera]\nrotation = 270\n") == 0
    assert settings.read(glasses.in_force).camera.rotation == 270
    assert (glasses.places.etc / "cuelens-1.toml").read_text() == edit
    assert f"is kept as {glasses.places.etc}/cuelens-1.toml" in glasses.answer()
    # What the card had given is not worth keeping; another edit is, beside the first.
    glasses.take("[camera]\nrotation = 180\n")
    glasses.in_force.write_text("# another\n" + edit)
    glasses.take(b"[camera]\nrotation = 0\n")
    assert settings.read(glasses.in_force) == Settings()
    assert sorted(files(glasses.places.etc)) == ["country", "cuelens-1.toml", "cuelens-2.toml", "cuelens.toml"]


def test_a_card_without_a_country_leaves_the_last_one(glasses: Glasses) -> None:
    glasses.take('country = "AT"\n')
    glasses.take(TEMPLATE.read_bytes())
    assert (glasses.places.etc / "country").read_text() == "AT\n"


def test_what_an_update_of_the_system_lost_is_given_again_without_a_check(glasses: Glasses) -> None:
    glasses.take('country = "AT"\n[camera]\nrotation = 90\n')
    before = files(glasses.places.etc)
    shutil.rmtree(glasses.places.etc)
    assert glasses.changed()
    assert glasses.take() == 0
    assert files(glasses.places.etc) == before
    assert glasses.asked == [""]
    assert not glasses.changed()


def test_a_power_cut_in_the_check_leads_to_one_more_answer_only(glasses: Glasses) -> None:
    class Cut(BaseException):
        pass

    def cut(_: str) -> Parts:
        assert "If this stands here, the power went off meanwhile." in glasses.answer()
        assert glasses.changed() or again
        raise Cut

    glasses.file.write_text("[camera]\nrotation = 90\n")
    for again in (False, True):
        with pytest.raises(Cut):
            take(glasses.places, cut)
        assert settings.read(glasses.in_force).camera.rotation == 90
        # What hangs at each boot must not keep the glasses waiting at each.
        assert glasses.changed() is not again
    # No thread has this number.
    for folder in (glasses.places.card, glasses.places.etc, glasses.places.state, glasses.places.state / "given"):
        (folder / ".cuelens-answer.txt.999999999.tmp").write_text("half of i")
    assert glasses.take() == 0
    assert glasses.asked == []
    assert [name for name in files(glasses.folder) if name.endswith(".tmp")] == []


@pytest.mark.parametrize(
    ("found", "status", "says"),
    [
        (WELL, 0, "ok camera a frame"),
        (Parts(("FAILED    camera    none: check the cable",), True), 1, "FAILED camera none: check the cable"),
        (Parts(("ok        model     well", "FAILED    sound     no"), True), 1, "FAILED sound no"),
        (Parts(("ok        python    well",), False), 1, "The check did not come to its end"),
        (Parts(("warning   memory    off", "not here  light     no pins"), True), 0, "warning memory off"),
        (Parts(("ok        camera    Büro",), True), 0, "Büro"),
    ],
)
def test_the_answer_has_what_was_found_of_the_parts(glasses: Glasses, found: Parts, status: int, says: str) -> None:
    glasses.found = found
    assert glasses.take(TEMPLATE.read_bytes()) == status
    assert says in glasses.answer()
    assert not glasses.changed()


def test_a_file_that_notepad_gave_another_name_is_told(glasses: Glasses) -> None:
    glasses.take(TEMPLATE.read_bytes())
    assert ".txt, which the glasses do not read" not in glasses.answer()
    (glasses.places.card / "cuelens.toml.txt").write_text("[camera]\nrotation = 90\n")
    assert glasses.take(b"# again\n" + TEMPLATE.read_bytes()) == 0
    assert "The card also holds cuelens.toml.txt, which the glasses do not read." in glasses.answer()


def test_settings_that_cannot_be_read_are_not_replaced(glasses: Glasses) -> None:
    glasses.in_force.mkdir(parents=True)
    assert glasses.take("[camera]\nrotation = 90\n") == 3
    assert f"{glasses.in_force} cannot be read: Is a directory" in glasses.answer()
    assert glasses.changed()


def test_a_card_that_is_read_only_is_taken_and_not_answered(
    glasses: Glasses, mount: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    glasses.file.write_text("[camera]\nrotation = 90\n")
    mount(glasses.places.card, "--bind", str(glasses.places.card))
    subprocess.run(["mount", "-o", "remount,bind,ro", str(glasses.places.card)], check=True)
    assert glasses.take() == 3
    assert "the answer cannot be written" in capsys.readouterr().err
    assert settings.read(glasses.in_force).camera.rotation == 90
    assert not glasses.changed()


def test_a_full_card_is_taken_and_not_answered(
    glasses: Glasses, mount: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    mount(glasses.places.card, "-t", "tmpfs", "-o", "size=16k", "cuelens-test")
    glasses.file.write_text("[camera]\nrotation = 90\n")
    with (glasses.places.card / "ballast").open("wb", buffering=0) as ballast:
        while shutil.disk_usage(glasses.places.card).free:
            ballast.write(bytes(4096))
    assert glasses.take() == 3
    assert "No space left on device" in capsys.readouterr().err
    assert sorted(files(glasses.places.card)) == ["ballast", "cuelens.toml"]
    assert settings.read(glasses.in_force).camera.rotation == 90
    assert not glasses.changed()


@pytest.mark.parametrize("full", ["etc", "state"])
def test_glasses_that_cannot_keep_it_say_so_and_try_again(
    glasses: Glasses, mount: Callable[..., None], full: str
) -> None:
    folder = glasses.folder / full
    folder.mkdir()
    mount(folder, "-t", "tmpfs", "-o", "ro", "cuelens-test")
    assert glasses.take("[camera]\nrotation = 90\n") == 3
    assert "it could not be put in force" in glasses.answer()
    assert f"{full}/" in glasses.answer()
    assert "Read-only file system" in glasses.answer()
    assert "were not checked" in glasses.answer()
    assert glasses.asked == []
    assert glasses.changed()
    subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
    assert glasses.take() == 0
    assert settings.read(glasses.in_force).camera.rotation == 90
    assert "in force" in glasses.answer()


def test_a_card_with_the_file_system_of_a_card(glasses: Glasses, mount: Callable[..., None]) -> None:
    if shutil.which("mkfs.vfat") is None:
        pytest.skip("mkfs.vfat is not installed")
    image = glasses.folder / "fat"
    with image.open("wb") as file:
        file.truncate(2_000_000)
    subprocess.run(["mkfs.vfat", str(image)], capture_output=True, check=True)
    mount(glasses.places.card, "-o", "loop", str(image))
    for rotation in (90, 180):
        assert glasses.take(EDITED.replace("rotation = 180", f"rotation = {rotation}").encode()) == 0
        assert sorted(files(glasses.places.card)) == ["cuelens-answer.txt", "cuelens.toml"]
        assert f"camera.rotation = {rotation}" in glasses.answer()
        assert not glasses.changed()


@pytest.mark.parametrize(
    "setup",
    [
        Settings(),
        Settings(pins=Pins(single=(SingleLed(pin=5, colour="#FFCC00"), SingleLed(pin=6, colour="#0000FF")))),
        Settings(pins=Pins(button="none", active_high=False), lens=settings.Lens(horizontal_degrees=66.5)),
        Settings(speaker=Speaker(device='a "b" \\c\t\x7f\x01\u00fc\U0001f600\n')),
    ],
)
def test_settings_are_read_as_they_were_written(tmp_path: Path, setup: Settings) -> None:
    file = tmp_path / "cuelens.toml"
    file.write_bytes(card_file.rendered(setup))
    assert settings.read(file) == setup


def test_countries_are_those_of_the_list_of_time_zones() -> None:
    table = Path("/usr/share/zoneinfo/iso3166.tab")
    if not table.exists():
        pytest.skip("tzdata is not installed")
    assert {line.split()[0] for line in table.read_text().splitlines() if not line.startswith("#")} == CODES


def test_the_template_names_each_language() -> None:
    (words,) = [line for line in card_file.Card.__doc__.split("\n\n") if "language:" in line]
    assert all(f'"{code}"' in words for code in language.available())


@pytest.mark.parametrize(("page", "begins"), [("card.md", "| `language` |"), ("profile.md", "- **language**: ")])
def test_a_page_names_each_language(page: str, begins: str) -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / page).read_text("utf-8")
    (words,) = [line.partition(".")[0] for line in text.splitlines() if line.startswith(begins)]
    assert set(language.available()) <= set(re.findall(r"\b[a-z]{2}\b", words))


def test_the_shell_and_the_command_mean_the_same_mark(tmp_path: Path) -> None:
    said = subprocess.run(["stat", "-L", "-c", "%f %s %Y", tmp_path], capture_output=True, text=True, check=True).stdout
    assert look(tmp_path) == said.strip()


def run(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cuelens", "card", *map(str, words)]
    return subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=180, check=False
    )


def test_the_command_seeds_the_language_once_and_tells_the_parts(glasses: Glasses) -> None:
    pytest.importorskip("gpiozero", reason="gpiozero comes with the extra pi")
    state = glasses.folder / "glasses"
    ours = f'[places]\nstate = "{state}"\n[pins]\nfactory = "mock"\n[camera]\nsource = "demo"\n'
    where = [f"--{name}={getattr(glasses.places, name)}" for name in ("card", "etc", "state")]
    for code, says in (("de", "the first profile has de"), ("fr", "passed over, since there is a profile already")):
        glasses.file.write_text(f'language = "{code}"\n{ours}')
        done = run("take", *where)
        # This machine may lack a sound card and a voice.
        assert done.returncode in (0, 1), done.stderr
        assert f"language {says}" in glasses.answer()
        assert "ok camera demo: a frame of 640x480" in glasses.answer()
        assert "ok model" in glasses.answer()
        # Whoever finds the card need not know a child's name.
        assert " profile " not in glasses.answer().partition("What was found")[2].replace(says, "")
    profile = state / "profiles" / "default.json"
    assert profile.read_text() == '{"schema": 1, "language": "de"}\n'
    assert profile.stat().st_mode & 0o077 == 0


def test_the_check_fails_where_the_first_profile_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("no folder")
    done = run("check", "--language", "de", STATE_DIRECTORY=str(tmp_path / "state"))
    assert done.returncode == 1
    assert done.stdout.splitlines()[0].startswith("FAILED    language  the first profile cannot be written: ")


@pytest.mark.parametrize(
    ("script", "ended", "lines"),
    [
        ("printf 'ok one\\n\\nok two\\n' >parts", True, ("ok one", "ok two")),
        ("printf 'ok one\\n' >parts; exit 1", False, ("ok one",)),
        ("printf '\\377\\n' >parts; cat request >>parts", True, ("\ufffd", "CUELENS_LANGUAGE=de")),
        ("true", True, ()),
    ],
)
def test_a_unit_checks_the_parts_in_place_of_a_child(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, ended: bool, lines: tuple[str, ...]
) -> None:
    (tmp_path / "bin").mkdir()
    systemctl = tmp_path / "bin" / "systemctl"
    systemctl.write_text(f'#!/bin/sh\n[ "$*" = "start x.service" ] || exit 9\ncd {tmp_path}/run\n{script}\n')
    systemctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "parts").write_text("of an earlier check\n")
    assert by_unit("de", "x.service", tmp_path / "run") == Parts(lines, ended)


def test_taking_a_card_loads_nothing_that_sees() -> None:
    """The glasses wait for it, and these libraries are most of a start."""
    code = "import sys, cuelens.cli, cuelens.commands.card as c; assert c; print({'numpy', 'cv2'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_the_help_teaches() -> None:
    for words in (["--help"], ["take", "--help"]):
        done = run(*words)
        assert done.returncode == 0
        for word in ("cuelens-answer.txt", 'country = "DE"', "exit status: 0 nothing is new", "examples/card.toml"):
            assert word in done.stdout
    assert card.Places().card == Path("/boot/firmware")
