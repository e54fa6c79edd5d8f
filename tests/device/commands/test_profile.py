"""`cuelens profile`: what is in force, what is wrong with a file, and that nothing of the user's is lost."""

import json
import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from cuelens.commands import profile
from cuelens.link import client
from cuelens.link.client import Silent
from cuelens.profile.profile import Profile
from cuelens.sound import clip
from cuelens.sound.earcons import earcon
from cuelens_models.errors import BadInput, Unwritable

TAKEN_LATER = "No running glasses took it: they do at their next start."


class Home:
    """A state folder, named by settings of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.state.mkdir()
        self.config = folder / "c.toml"
        self.config.write_text(f'[places]\nstate = "{self.state}"\n')
        self.profile = self.state / "profiles" / "default.json"
        self.good = self.state / "good" / "default.json"

    def write(self, text: str, good: str | None = None) -> None:
        for file, content in ((self.profile, text), (self.good, good)):
            if content is not None:
                file.parent.mkdir(exist_ok=True)
                file.write_text(content)

    def new(self, text: str, name: str = "new.json") -> Path:
        file = self.folder / name
        file.write_text(text)
        return file

    def contents(self) -> dict[str, str]:
        """The profiles by name."""
        return {file.name: file.read_text() for file in sorted((self.state / "profiles").glob("*.json"))}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.delenv("RUNTIME_DIRECTORY", raising=False)
    return Home(tmp_path)


def test_what_is_in_force_is_shown_with_a_mark_at_what_is_the_factory_s(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    home.write('{"sound": {"on": true}, "cues": {"happy": {"light": {"colour": "#0072B2"}}, "sad": null}}')
    assert profile.show(home.config) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == f"profile {home.profile}"
    values = {line.split()[0]: line.split(maxsplit=1)[1] for line in lines}
    assert values["sound.on"] == "true"
    assert values["cues.happy.light.colour"] == '"#0072B2"'
    assert values["cues.sad"] == "null"
    assert values["sound.volume_percent"] == "50  (default)"
    assert values["cues.happy.light.pattern"] == '"fade"  (default)'
    assert values["play.find"] == '["happy"]  (default)'
    assert [key for key, value in values.items() if "(default)" not in value] == [
        "sound.on",
        "cues.happy.light.colour",
        "cues.sad",
    ]


@pytest.mark.parametrize(
    ("text", "good", "first", "fault"),
    [
        (None, None, "the factory profile", ""),
        ('{"mode": "loud"}', None, "what is used in its place", "mode is 'loud'"),
        ('{"mode": "loud"}', '{"mode": "quiet"}', "what is used in its place", "the last good one is used"),
    ],
)
def test_what_replaces_a_profile_is_shown_and_why(
    home: Home, capsys: pytest.CaptureFixture[str], text: str | None, good: str | None, first: str, fault: str
) -> None:
    if text is not None:
        home.write(text, good)
    assert profile.show(home.config) == 0
    shown = capsys.readouterr()
    assert shown.out.splitlines()[0] == first
    assert fault in shown.err
    assert bool(shown.err) == bool(fault)
    assert ('"quiet"' in shown.out) == (good is not None)


@pytest.mark.parametrize(
    ("text", "status", "sentences"),
    [
        ("{}", 0, ["is well."]),
        ('{"mode": "quiet"}', 0, ["is well."]),
        ('{"light": {"brightness_percent": 0}}', 0, ["brightness_percent is 0: no light will be seen", "as it is."]),
        ('{"policy": {"margin": 0.2}}', 0, ["policy.margin can no longer be chosen", "as it is."]),
        ('{"mode": "loud"}', 1, ["mode is 'loud': expected one of companion, explore, quiet, smile"]),
        ('{"sound": {"volume_percent": 140}}', 1, ["volume_percent"]),
        ("{", 1, ["new.json"]),
        ("", 1, ["new.json is empty"]),
        ('{"cues": {"happy": {"recording": "none.wav"}}}', 0, ["none.wav is not there; the phrase", "as it is."]),
        ('{"cues": {"happy": {"recording": "../a.wav"}}}', 1, ["cues.happy.recording is '../a.wav': expected"]),
    ],
)
def test_a_file_is_well_or_a_sentence_says_what_is_wrong(
    home: Home, capsys: pytest.CaptureFixture[str], text: str, status: int, sentences: list[str]
) -> None:
    assert profile.check(home.new(text), home.config) == status
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(sentences)
    assert all(sentence in line for sentence, line in zip(sentences, lines, strict=True))


def test_the_profile_in_force_is_checked_without_a_file(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert profile.check(None, home.config) == 0
    assert capsys.readouterr().out == "There is no profile: the factory's is in force, and well.\n"
    home.write("{")
    assert profile.check(None, home.config) == 1
    assert str(home.profile) in capsys.readouterr().out
    (home.state / "active").write_text("school")
    assert profile.check(None, home.config) == 1
    assert "school.json" in capsys.readouterr().out
    (home.state / "active").write_text("../etc")
    with pytest.raises(BadInput, match="names no profile"):
        profile.check(None, home.config)


@pytest.mark.parametrize("make", [lambda path: path.symlink_to(path), lambda path: path.symlink_to("gone"), Path.mkdir])
def test_whatever_cannot_be_read_as_a_profile_cannot_be_used(
    home: Home, capsys: pytest.CaptureFixture[str], make: Callable[[Path], None]
) -> None:
    file = home.folder / "odd.json"
    make(file)
    assert profile.check(file, home.config) == 1
    (line,) = capsys.readouterr().out.splitlines()
    assert str(file) in line


def test_a_file_that_is_missing_is_bad_input(home: Home) -> None:
    with pytest.raises(BadInput, match=r"none\.json"):
        profile.check(home.folder / "none.json", home.config)


@pytest.mark.parametrize(
    ("text", "good", "kept"),
    [
        ('{"mode": "quiet"}', None, {"default-1.json": '{"mode": "quiet"}'}),
        ('{"mode": "quiet"}', '{"mode": "quiet"}', {"default-1.json": '{"mode": "quiet"}'}),
        ("{", '{"mode": "quiet"}', {"default-1.json": '{"mode": "quiet"}', "default-2.json": "{"}),
        (None, '{"mode": "quiet"}', {"default-1.json": '{"mode": "quiet"}'}),
    ],
)
def test_a_reset_puts_the_factory_s_into_force_and_keeps_what_was_there(
    home: Home, capsys: pytest.CaptureFixture[str], text: str | None, good: str | None, kept: dict[str, str]
) -> None:
    home.profile.parent.mkdir()
    if good is not None:
        home.write("", good)
        home.profile.unlink()
    if text is not None:
        home.write(text)
    assert profile.reset(home.config) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2:] == [f"{home.profile} is the factory profile now.", TAKEN_LATER]
    contents = home.contents()
    assert msgspec.json.decode(contents.pop("default.json"), type=Profile) == Profile()
    assert contents == kept
    assert [line.partition(" is kept as ")[2] for line in lines[:-2]] == [
        str(home.profile.parent / name) for name in kept
    ]


def test_a_reset_without_a_profile_writes_nothing(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    assert profile.reset(home.config) == 0
    assert capsys.readouterr().out == "There is no profile: the factory's is in force.\n"
    assert list(home.state.iterdir()) == []


def test_every_profile_that_was_replaced_is_kept_under_a_name_of_its_own(home: Home) -> None:
    home.write('{"wearer": "0"}')
    for n in range(1, 4):
        assert profile.import_(home.new(f'{{"wearer": "{n}"}}'), home.config) == 0
    assert home.contents() == {
        "default.json": '{"wearer": "3"}',
        "default-1.json": '{"wearer": "0"}',
        "default-2.json": '{"wearer": "1"}',
        "default-3.json": '{"wearer": "2"}',
    }


def test_what_is_no_file_is_kept_too(home: Home) -> None:
    home.profile.mkdir(parents=True)
    (home.profile / "mine").write_text("precious")
    assert profile.import_(home.new("{}"), home.config) == 0
    assert home.profile.read_text() == "{}"
    assert (home.profile.parent / "default-1.json" / "mine").read_text() == "precious"


def test_a_link_is_replaced_and_what_it_points_to_is_left_alone(home: Home) -> None:
    precious = home.new('{"mode": "quiet"}', "precious.json")
    home.profile.parent.mkdir()
    home.profile.symlink_to(precious)
    assert profile.reset(home.config) == 0
    assert precious.read_text() == '{"mode": "quiet"}'
    assert (home.profile.parent / "default-1.json").read_text() == '{"mode": "quiet"}'
    assert not home.profile.is_symlink()


@pytest.mark.parametrize("text", ['{"mode": "loud"}', "{", "", '{"cues": {"happy": {"recording": "none.wav"}}}'])
def test_a_bad_file_replaces_nothing(home: Home, text: str) -> None:
    home.write('{"mode": "quiet"}')
    with pytest.raises(BadInput, match=r"new\.json"):
        profile.import_(home.new(text), home.config)
    assert home.contents() == {"default.json": '{"mode": "quiet"}'}


def test_the_last_twenty_versions_stay(home: Home) -> None:
    for number in range(1, 26):
        home.write("{}")
        home.profile.rename(home.profile.with_name(f"default-{number}.json"))
    home.write('{"mode": "quiet"}')
    with pytest.raises(BadInput):
        profile.import_(home.new("{"), home.config)
    assert len(home.contents()) == 26
    assert profile.import_(home.new("{}"), home.config) == 0
    versions = {f"default-{number}.json" for number in range(7, 27)}
    assert home.contents().keys() == {"default.json", *versions}
    assert home.contents()["default-26.json"] == '{"mode": "quiet"}'


def test_the_profile_that_is_in_force_is_not_imported(home: Home) -> None:
    home.write("{}")
    with pytest.raises(BadInput, match="is the profile already"):
        profile.import_(home.profile, home.config)
    assert home.contents() == {"default.json": "{}"}


def test_a_profile_is_imported_as_it_was_written_into_the_one_that_is_active(
    home: Home, capsys: pytest.CaptureFixture[str]
) -> None:
    (home.state / "active").write_text("school\n")
    text = '{\n  "school": true,\n  "light": {"brightness_percent": 0}\n}\n'
    new = home.new(text)
    assert profile.import_(new, home.config) == 0
    school = home.state / "profiles" / "school.json"
    assert home.contents() == {"school.json": text}
    warning, *rest = capsys.readouterr().out.splitlines()
    assert "no light will be seen" in warning
    assert rest == [f"{school} is {new} now.", TAKEN_LATER]
    assert oct(school.stat().st_mode & 0o777) == "0o600"
    assert oct(school.parent.stat().st_mode & 0o777) == "0o700"


def recording(path: Path, word: str) -> bytes:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(clip.wav(earcon(word)))
    return path.read_bytes()


def test_recordings_come_along_and_none_is_overwritten(home: Home) -> None:
    text = '{"cues": {"happy": {"recording": "mum/happy.wav"}, "sad": {"recording": "mum/happy.wav"}}}'
    new = home.new(text)
    sound = recording(home.folder / "mum" / "happy.wav", "happy")
    assert profile.import_(new, home.config) == 0
    copy = home.profile.parent / "mum" / "happy.wav"
    assert copy.read_bytes() == sound
    assert profile.check(None, home.config) == 0
    # Again with the same recording, and then with another of its name.
    new.write_text(text + "\n")
    assert profile.import_(new, home.config) == 0
    recording(home.folder / "mum" / "happy.wav", "sad")
    new.write_text(text + "\n\n")
    with pytest.raises(BadInput, match=r"mum/happy\.wav is another recording: give yours another name"):
        profile.import_(new, home.config)
    assert copy.read_bytes() == sound
    assert home.profile.read_text() == text + "\n"


def test_the_profile_is_exported_as_it_was_written(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    recording(home.profile.parent / "mum.wav", "happy")
    text = '{\n  "cues": {"happy": {"recording": "mum.wav"}}\n}\n'
    home.write(text)
    target = home.folder / "copy.json"
    assert profile.export(target, home.config) == 0
    assert target.read_text() == text
    assert capsys.readouterr().out.splitlines() == [
        f"the profile is written to {target}",
        f"its recordings stay in {home.profile.parent}: mum.wav",
    ]


@pytest.mark.parametrize(
    ("text", "good", "mode"),
    [(None, None, "companion"), ("{", None, "companion"), ("{", '{"mode": "quiet"}', "quiet")],
)
def test_what_replaces_a_profile_is_exported_with_all_its_keys(
    home: Home, capsys: pytest.CaptureFixture[str], text: str | None, good: str | None, mode: str
) -> None:
    if text is not None:
        home.write(text, good)
    target = home.folder / "copy.json"
    assert profile.export(target, home.config) == 0
    assert bool(capsys.readouterr().err) == (text is not None)
    assert json.loads(target.read_text())["mode"] == mode
    assert json.loads(target.read_text())["cues"]["happy"]["light"]["colour"] == "#F0E442"
    assert profile.check(target, home.config) == 0


def test_an_export_overwrites_neither_the_profile_nor_its_good_version(home: Home) -> None:
    home.write("{}", "{}")
    for target in (home.profile, home.good):
        with pytest.raises(BadInput, match="would overwrite"):
            profile.export(target, home.config)
    with pytest.raises(Unwritable, match="cannot be written"):
        profile.export(home.folder / "none" / "copy.json", home.config)


def cuelens(home: Home, *words: object, stdin: Path) -> subprocess.CompletedProcess[str]:
    with stdin.open() as source:
        return subprocess.run(
            [sys.executable, "-m", "cuelens", *map(str, words), "--config", str(home.config)],
            stdin=source,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


def test_standard_input_and_output_reach_where_the_service_s_user_may_not(home: Home) -> None:
    new = home.new('{"mode": "quiet"}')
    done = cuelens(home, "profile", "import", "-", stdin=new)
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{home.profile} is standard input now." in done.stdout
    assert home.contents() == {"default.json": '{"mode": "quiet"}'}
    done = cuelens(home, "profile", "export", "-", stdin=Path(os.devnull))
    assert (done.returncode, done.stdout, done.stderr) == (0, '{"mode": "quiet"}', "")
    home.new("{", "bad.json")
    done = cuelens(home, "profile", "import", "-", stdin=home.folder / "bad.json")
    assert done.returncode == 3
    assert home.contents() == {"default.json": '{"mode": "quiet"}'}
    done = cuelens(home, "profile", "check", home.folder / "bad.json", stdin=Path(os.devnull))
    assert (done.returncode, len(done.stdout.splitlines()), done.stderr) == (1, 1, "")
    done = cuelens(home, "profile", "check", home.folder / "none.json", stdin=Path(os.devnull))
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (3, "", 1)


def test_standard_input_brings_no_recordings(home: Home) -> None:
    new = home.new('{"cues": {"happy": {"recording": "mum/happy.wav"}, "sad": {"recording": "sad.wav"}}}')
    recording(home.folder / "mum" / "happy.wav", "happy")
    done = cuelens(home, "profile", "import", "-", stdin=new)
    (line,) = done.stderr.splitlines()
    assert (done.returncode, done.stdout) == (3, "")
    assert "standard input has no folder for the recordings of this profile (mum/happy.wav, sad.wav): copy" in line
    assert home.contents() == {}


def test_frozen_glasses_are_told_of_and_the_profile_is_in_place(
    home: Home, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    frozen = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    monkeypatch.chdir(home.state)
    frozen.bind("link.sock")
    frozen.listen()
    monkeypatch.setattr(client, "HELLO_S", 0.1)
    monkeypatch.setattr("cuelens.commands.press.address.known", lambda _: [Path("link.sock")])
    with pytest.raises(Silent, match=r"do not answer: .* start them again; they take the profile at their next start"):
        profile.import_(home.new('{"mode": "quiet"}'), home.config)
    frozen.close()
    assert home.contents() == {"default.json": '{"mode": "quiet"}'}
    assert TAKEN_LATER not in capsys.readouterr().out


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write for another user")
def test_what_root_writes_belongs_to_the_user_of_the_glasses(home: Home) -> None:
    os.chown(home.state, 1234, 1235)
    new = home.new('{"cues": {"happy": {"recording": "mum/happy.wav"}}}')
    recording(home.folder / "mum" / "happy.wav", "happy")
    assert profile.import_(new, home.config) == 0
    profiles = home.profile.parent
    for path in (profiles, home.profile, profiles / "mum", profiles / "mum" / "happy.wav"):
        assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1235), path


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of another user")
@pytest.mark.parametrize(
    ("action", "words"),
    [
        (profile.show, "profile show"),
        (lambda config: profile.check(None, config), "profile check"),
        (profile.reset, "profile reset"),
        (lambda config: profile.export(Path("my copy.json"), config), "profile export - > 'my copy.json'"),
        (lambda config: profile.import_(config.with_name("new.json"), config), "profile import - < "),
    ],
)
def test_who_may_not_use_the_folder_learns_the_command_that_may(
    monkeypatch: pytest.MonkeyPatch, action: Callable[[Path], int], words: str
) -> None:
    if not all(folder.stat().st_mode & stat.S_IXOTH for folder in Path(profile.__file__).parents):
        pytest.skip("cuelens is installed where only root may read it")
    with tempfile.TemporaryDirectory() as name:
        home = Home(Path(name))
        home.folder.chmod(0o755)
        monkeypatch.setenv("XDG_RUNTIME_DIR", name)
        home.new("{}").chmod(0o644)
        home.write("{}")
        home.state.chmod(0o700)
        os.seteuid(65534)
        try:
            with pytest.raises(BadInput) as caught:
                action(home.config)
        finally:
            os.seteuid(0)
        assert f"{home.state} belongs to root: run `sudo -u root cuelens {words}" in str(caught.value)


def test_a_name_that_is_no_utf_8_is_printed_with_escapes(home: Home) -> None:
    name = os.fsdecode(b"caf\xe9.json")
    home.new("{}", name)
    for words, ends in (
        (("check", name), rb"caf\udce9.json is well."),
        (("import", name), TAKEN_LATER.encode()),
        (("export", name), rb"the profile is written to caf\udce9.json"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "cuelens", "profile", *words, "--config", home.config],
            capture_output=True,
            check=False,
            cwd=home.folder,
            env=os.environ | {"PYTHONIOENCODING": "utf-8:strict"},
            timeout=60,
        )
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, ends), done
