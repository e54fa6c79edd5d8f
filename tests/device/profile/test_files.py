"""Settings and profiles: what is read, and the sentence for every mistake."""

import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import pytest

from cuelens import config_file, settings
from cuelens.profile.profile import Policy, Profile
from cuelens.profile.store import active, active_path, in_force, keep_good, read
from cuelens.settings import Settings
from cuelens_models.atomic_file import write_whole
from cuelens_models.errors import BadInput, Unwritable


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"sound": {"volume_percent": 140}}', "sound.volume_percent must be a whole number from 0 to 100, not 140"),
        ('{"sound": {"volume": 40}}', 'no key "volume" in sound: did you mean "volume_percent"?'),
        ('{"caution": 0.5}', 'no key "caution": did you mean policy.caution?'),
        ('{"brightness_percent": 30}', 'no key "brightness_percent": did you mean light.brightness_percent?'),
        ('{"cues": {"hapy": {"phrase": "looks happy"}}}', 'no key "hapy" in cues: did you mean "happy"?'),
        (
            '{"cues": {"happiness": {"phrase": "looks happy"}}}',
            'no key "happiness" in cues: choose from happy,',
        ),
        (
            '{"cues": {"not_a_face": {"phrase": "no face"}}}',
            'no key "not_a_face" in cues: choose from happy,',
        ),
        ('{"policy": {"enter": {"joyful": 0.5}}}', 'no key "joyful" in policy.enter: choose from happy,'),
        ('{"policy": {"enter": {"happy": 1.5}}}', "policy.enter.happy must be a number from 0 to 1 or null, not 1.5"),
        ('{"cues": {"happy": {"phrase": "looks very happy indeed"}}}', "expected one or two words"),
        ('{"cues": {"happy": {"phrase": ""}}}', "expected one or two words"),
        ('{"cues": {"happy": {"phrase": "$(reboot) now"}}}', "expected one or two words"),
        (
            '{"cues": {"happy": {"light": {"colour": "yellowish"}}}}',
            'light.colour must be a colour such as "#F0E442", not "yellowish"',
        ),
        (
            '{"cues": {"happy": {"light": {"colour": "#F0E442", "pattern": "strobe"}}}}',
            'cues.happy.light.pattern must be "breath", "fade" or "steady", not "strobe"',
        ),
        ('{"cues": {"happy": {"phrase": "is happy"}}}', "expected what a face looks like"),
        ('{"cues": {"happy": {"phrase": "was happy"}}}', "expected what a face looks like"),
        ('{"cues": {"happy": {"phrase": "felt sad"}}}', "expected what a face looks like"),
        ('{"cues": {"happy": {"phrase": "has fear"}}}', "expected what a face looks like"),
        ('{"cues": {"happy": {"phrase": "they were"}}}', "expected what a face looks like"),
        ('{"cues": {"happy": {"phrase": "been sad"}}}', "expected what a face looks like"),
        ('{"cues": {"happy": {"phrase": "be happy"}}}', "expected what a face looks like"),
        ('{"cues": {"happy": {"phrase": "have fun"}}}', "expected what a face looks like"),
        ('{"cues": {"happy": {"phrase": "she\'s happy"}}}', "expected what a face looks like"),
        ('{"cues": {"happy": {"phrase": "she\u2019s happy"}}}', "expected what a face looks like"),
        ('{"language": "\\ud800"}', "a text has half a character"),
        ('{"cues": {"neutral": {"phrase": "looks neutral"}}}', 'no key "neutral" in cues: choose from happy,'),
        ('{"policy": {"gap_s": 0}}', "policy.gap_s must be a number from 1 to 3600, not 0"),
        ('{"policy": {"caution": 2}}', "policy.caution must be a number from -1 to 1, not 2"),
        ('{"schema": 2}', "schema must be 1, not 2"),
        ('{"language": "tlh"}', "language is 'tlh'"),
        (
            '{"cues": {"happy": {"phrase": "' + "happy " * 300 + '"}}}',
            "cues.happy.phrase must be a text of at most 40",
        ),
        ('{"mode": "loud"}', "mode is 'loud': expected one of companion, explore, quiet, smile"),
        ('{"play": {"find": ["happy", "glad"]}}', '"fear", "happy", "sad" or "surprise", not "glad"'),
        ('{"play": {"find": []}}', "play.find must be a list of 1 to 6 entries, each "),
        ('{"mode": "smile", "cues": {"happy": null}}', "play.find is ['happy']: expected an expression that has a cue"),
        ('{"mode": "smile", "school": true, "play": {"find": ["sad"]}}', "play.find is ['sad']"),
        ('{"policy": {"reunion_s": 0}}', "policy.reunion_s must be a number from 0.5 to 30, not 0"),
        ('{"session": {"minutes": -1}}', "session.minutes must be a whole number from 0 to 240, not -1"),
        ('{"people": {"shift": {"smile": 1}}}', "people.shift must be a group of keys (happy, surprise, sad, angry,"),
        ("[]", "this is no profile: expected JSON, which begins with {"),
        ("# Settings\n[camera]\nfps = 15\n", "this is no profile: expected JSON, which begins with {"),
        ("# cuelens\n\nGlasses that tell a smile.\n", "this is no profile: expected JSON, which begins with {"),
        ('# Ben\'s\n{"mode": "quiet"}', "line 1, column 1: a colour stands in double quotes, and a comment in JSON"),
        ('{"colour": "#123456", "icons": []}', "this is no profile: it has none of the keys of one"),
        ('{"$schema": "x", "title": "y", "type": "object"}', "this is no profile: it has none of the keys of one"),
        ('{"wearr": "Ben"}', 'there is no key "wearr": did you mean "wearer"?'),
        ("{", "line 1, column 2: the file ends too early"),
        ("", "is empty"),
        ("\x00\x01binary", "line 1, column 1: an invisible character stands here"),
    ],
)
def test_a_mistake_in_a_profile_is_one_sentence_with_file_key_and_value(
    tmp_path: Path, text: str, sentence: str
) -> None:
    path = tmp_path / "child.json"
    path.write_text(text)
    with pytest.raises(BadInput) as caught:
        read(path)
    assert sentence in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[camera]\nrotation = 45", "camera.rotation must be 0, 90, 180 or 270, not 45"),
        ("[camera]\nfps = 0", "camera.fps must be a whole number from 2 to 60, not 0"),
        ("[camera]\nfps = 'fast'", 'camera.fps must be a whole number from 2 to 60, not "fast"'),
        ("[kamera]\nfps = 1", 'no key "kamera": did you mean "camera"?'),
        ("[pins]\nred = 99", "pins.red must be a whole number from 0 to 27, not 99"),
        ("[camera\nfps = 1", "line 1, column 8: this cannot be read: expected key = value"),
    ],
)
def test_a_mistake_in_the_settings_is_one_sentence_too(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "cuelens.toml"
    path.write_text(text)
    with pytest.raises(BadInput) as caught:
        settings.read(path)
    assert sentence in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_text_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "active"
    for text in ("", "ben\n", "é" * 500_000):
        path.write_text(text, encoding="utf-8")
        assert config_file.read_text(path) == text


def test_what_is_no_text_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"[camera]\nsource = 'M\xeda'")
    (tmp_path / "link").symlink_to("/dev/null")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1_000_001)
    for name, sentence in (
        ("none", "cannot be read: No such file or directory"),
        ("none/of it", "cannot be read: No such file or directory"),
        (".", "cannot be read: Is a directory"),
        ("link", "is a device or a pipe, no regular file: expected a short text"),
        ("large", "is over 1 MB: expected a short text"),
        ("other", "is not in UTF-8 at line 2: save it with the encoding UTF-8"),
    ):
        for read_file in (config_file.read_text, read, settings.read):
            path = tmp_path / name
            if read_file is settings.read and not path.exists():
                continue
            with pytest.raises(BadInput) as caught:
                read_file(path)
            assert str(caught.value) == f"{path} {sentence}"


def test_a_fifo_holds_nothing_up(tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    os.mkfifo(path)
    code = "import sys, pathlib, cuelens.profile.store as file; file.read(pathlib.Path(sys.argv[1]))"
    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.stderr.endswith(f"{path} is a device or a pipe, no regular file: expected a short text\n")


def test_settings_that_were_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="do not exist"):
        settings.read(tmp_path / "none.toml")


def test_a_whole_profile_survives_writing_and_reading(tmp_path: Path) -> None:
    path = tmp_path / "whole.json"
    path.write_bytes(msgspec.json.encode(Profile()))
    assert read(path) == Profile()


def test_an_empty_profile_is_the_factory_profile(tmp_path: Path) -> None:
    path = tmp_path / "empty.json"
    path.write_text("{}")
    assert read(path) == Profile()


def test_the_active_profile_is_the_one_named_in_the_state_folder(tmp_path: Path) -> None:
    assert active(tmp_path).profile == Profile()
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "default.json").write_text('{"wearer": "Ada"}')
    (tmp_path / "profiles" / "ben.json").write_text('{"wearer": "Ben"}')
    assert active(tmp_path).profile.wearer == "Ada"
    (tmp_path / "active").write_text("ben\n")
    assert active(tmp_path).profile.wearer == "Ben"
    for name in ("carl", "../ben", "x" * 300, "\0\0\0", ""):
        (tmp_path / "active").write_text(name)
        assert active(tmp_path).profile == Profile()
        assert "the factory profile is used" in active(tmp_path).fault


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ('{"wearer": "Be', "line 1, column 12: the text that begins here has no closing quote"),
        (
            '{"wearer": "Ben", "sound": {"volume_percent": 140}}',
            "sound.volume_percent must be a whole number from 0 to 100, not 140",
        ),
        ('{"wearer": "Ben", "mode": "loud"}', "mode is 'loud'"),
        ('{"wearer": "Ben", "cues": {"happy": {"recording": "../a.wav"}}}', "cues.happy.recording is '../a.wav'"),
    ],
)
def test_the_last_good_profile_stays_in_force(tmp_path: Path, bad: str, sentence: str) -> None:
    file = tmp_path / "profiles" / "default.json"
    file.parent.mkdir()
    file.write_text('{"wearer": "Ben"}')
    assert keep_good(tmp_path, active(tmp_path)) == ""
    file.write_text(bad)
    held = active(tmp_path)
    assert held.profile.wearer == "Ben"
    assert sentence in held.fault
    assert str(file) in held.fault
    assert held.fault.endswith("; the last good one is used")
    # What is not good is left alone, and never kept.
    assert keep_good(tmp_path, held) == ""
    assert file.read_text() == bad
    assert active(tmp_path).profile.wearer == "Ben"
    file.write_text('{"wearer": "Eva"}')
    assert active(tmp_path).profile.wearer == "Eva"


@pytest.mark.parametrize("good", ['{"mode": "loud"}', '{"language": "xx"}', "{", None])
def test_a_last_good_profile_that_is_not_good_any_more_gives_way_to_the_factorys(
    tmp_path: Path, good: str | None
) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "default.json").write_text("{")
    file = tmp_path / "good" / "default.json"
    if good is None:
        file.mkdir(parents=True)
    else:
        file.parent.mkdir()
        file.write_text(good)
    assert active(tmp_path).profile == Profile()
    (tmp_path / "profiles" / "default.json").write_text("{}")
    assert ("cannot be written" in keep_good(tmp_path, active(tmp_path))) is (good is None)


def test_a_damaged_profile_without_a_good_one_before_it_is_the_factorys(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "default.json").write_text("{")
    assert active(tmp_path).profile == Profile()
    assert active(tmp_path).fault.endswith("; the factory profile is used")


def test_a_state_folder_that_cannot_be_written_to_is_said_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "default.json").write_text("{}")
    (tmp_path / "good").write_text("no folder")
    assert "cannot be written to" in keep_good(tmp_path, active(tmp_path))


def leaves(kind: object, prefix: str = "") -> set[str]:
    names = set()
    for field in msgspec.structs.fields(kind):  # type: ignore[arg-type]
        nested = isinstance(field.type, type) and issubclass(field.type, msgspec.Struct)
        names |= leaves(field.type, f"{field.name}.") if nested else {field.name}
    return names


def test_no_key_stands_in_both_settings_and_profile() -> None:
    assert leaves(Settings) & leaves(Profile) == set()
    assert "rotation" in leaves(Settings)
    assert "volume_percent" in leaves(Profile)


def test_the_state_folder_is_the_one_chosen_then_systemds_then_the_users(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert Settings().state_dir() == tmp_path / "cuelens"
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/cuelens")
    assert Settings().state_dir() == Path("/var/lib/cuelens")
    assert Settings(places=settings.Places(state="/elsewhere")).state_dir() == Path("/elsewhere")


@pytest.mark.parametrize("key", ["state", "bundle"])
@pytest.mark.parametrize(
    ("place", "begins"),
    [("~", "/"), ("~/cuelens", "/home/mum/cuelens"), ("cuelens", "/"), ("./cuelens", "/"), ("~mum/cuelens", "/")],
)
def test_a_place_that_depends_on_who_runs_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, place: str, begins: str
) -> None:
    monkeypatch.setenv("HOME", "/home/mum")
    file = tmp_path / "c.toml"
    file.write_text(f'[places]\n{key} = "{place}"\n')
    with pytest.raises(BadInput) as caught:
        settings.read(file)
    assert str(caught.value) == (
        f'{file}: line 2, column 1: places.{key} must be a whole path, which begins with {begins}, not "{place}"'
    )


@pytest.mark.parametrize("key", ["camera.source", "speaker.device", "places.bundle", "places.state"])
def test_a_text_that_no_system_call_takes_is_refused(tmp_path: Path, key: str) -> None:
    file = tmp_path / "c.toml"
    file.write_text('[{}]\n{} = "/a\\u0000b"\n'.format(*key.split(".")))
    with pytest.raises(BadInput) as caught:
        settings.read(file)
    assert str(caught.value) == (f'{file}: line 2, column 1: {key} must have no character \\u0000, not "/a\\u0000b"')


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    target = tmp_path / "new" / "file"
    write_whole(target, b"one")
    write_whole(target, b"two")
    assert target.read_bytes() == b"two"
    assert list(target.parent.iterdir()) == [target]
    (tmp_path / "plain").write_text("a file, not a folder")
    with pytest.raises(Unwritable, match="cannot be written"):
        write_whole(tmp_path / "plain" / "file", b"three")


def test_policy_numbers_of_an_earlier_version_are_ignored_and_told(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    path.write_text('{"policy": {"margin": 7, "smoothing_s": "long", "gap_s": 4}}')
    read_profile = in_force(path)
    assert read_profile.profile == Profile(policy=Policy(gap_s=4))
    assert (
        read_profile.note
        == f"{path}: policy.smoothing_s, policy.margin can no longer be chosen; the values are ignored"
    )
    assert in_force(_written(tmp_path, "{}")).note == ""
    path.write_text('{"policy": {"enter": {"neutral": 0.7, "happy": 0.6}}}')
    read_profile = in_force(path)
    assert read_profile.note == f"{path}: policy.enter.neutral can no longer be chosen; the values are ignored"
    assert read_profile.profile.policy.enter.happy == 0.6


def test_an_unknown_number_of_the_policy_is_still_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match='no key "marge" in policy: choose from dwell_s'):
        read(_written(tmp_path, '{"policy": {"margin": 0.1, "marge": 0.1}}'))


def test_the_last_good_profile_may_be_of_an_earlier_version(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "good").mkdir()
    (tmp_path / "profiles" / "default.json").write_text("damaged")
    (tmp_path / "good" / "default.json").write_text('{"policy": {"hysteresis": 0.2, "gap_s": 5}}')
    assert active(tmp_path).profile == Profile(policy=Policy(gap_s=5))


def test_settings_and_profiles_are_read_without_opencv(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib, cuelens.settings, cuelens.profile.store as store;"
        "store.read(pathlib.Path(sys.argv[1]));"
        "print({'cv2', 'matplotlib', 'tensorflow', 'ai_edge_litert'} & set(sys.modules))"
    )
    command = [sys.executable, "-c", code, str(_written(tmp_path, "{}"))]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "set()\n"


def _written(folder: Path, text: str) -> Path:
    path = folder / "written.json"
    path.write_text(text)
    return path


def test_an_active_file_that_is_no_file_names_no_profile(tmp_path: Path) -> None:
    (tmp_path / "active").mkdir()
    with pytest.raises(BadInput, match="active cannot be read"):
        active_path(tmp_path)
    assert active(tmp_path).fault.endswith("; the factory profile is used")


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("default.json", "write the name alone into it, default, without a folder or .json"),
        ("profiles/mine.json\n", "write the name alone into it, mine, without a folder or .json"),
        ("{profiles}/mine.json", "write the name alone into it, mine, without a folder or .json"),
        ("mine.toml", "write the name of a file in {profiles} into it, without .json"),
        ("/elsewhere/mine.json", "write the name of a file in {profiles} into it, without .json"),
        ("../mine", "write the name of a file in {profiles} into it, without .json"),
        ("", "write the name of a file in {profiles} into it, without .json"),
    ],
)
def test_an_active_file_that_holds_no_name_says_what_it_should_hold(tmp_path: Path, name: str, sentence: str) -> None:
    profiles = tmp_path / "profiles"
    (tmp_path / "active").write_text(name.format(profiles=profiles))
    with pytest.raises(BadInput) as caught:
        active_path(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'active'} ")
    assert str(caught.value).endswith(sentence.format(profiles=profiles))
    assert active(tmp_path).fault == f"{caught.value}; the factory profile is used"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can write for another user")
def test_a_good_profile_that_root_keeps_belongs_to_the_user_of_the_folder(tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "profiles").mkdir(parents=True)
    (state / "profiles" / "default.json").write_text("{}")
    os.chown(state, 1234, 1235)
    assert keep_good(state, active(state)) == ""
    for path in (state / "good", state / "good" / "default.json"):
        assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1235)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize(
    ("barred", "fault", "kept"),
    [
        ("", "{state}/active cannot be read: Permission denied; the factory profile is used", ""),
        (
            "profiles",
            "{state}/profiles/default.json cannot be read: Permission denied; the factory profile is used",
            "",
        ),
        ("good", "", "{state}/good/default.json cannot be used: Permission denied"),
    ],
)
def test_a_folder_that_bars_its_user_is_named(barred: str, fault: str, kept: str) -> None:
    if not all(folder.stat().st_mode & stat.S_IXOTH for folder in Path(config_file.__file__).parents):
        pytest.skip("cuelens is installed where only root may read it")
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        state = Path(name) / "state"
        for folder in (state / "profiles", state / "good"):
            folder.mkdir(parents=True)
        (state / "profiles" / "default.json").write_text('{"mode": "quiet"}')
        (state / barred).chmod(0o000)
        os.seteuid(65534)
        try:
            found = active(state)
            trouble = keep_good(state, found)
        finally:
            os.seteuid(0)
        assert (found.fault, trouble) == (fault.format(state=state), kept.format(state=state))
        assert found.profile.mode == ("companion" if fault else "quiet")


def test_a_profile_that_is_replaced_while_it_is_read_is_one_version_or_the_other(tmp_path: Path) -> None:
    """What is kept as the last good one is what was checked, whatever lies there a moment later."""
    file = tmp_path / "profiles" / "default.json"
    file.parent.mkdir()
    good = {f'{{"wearer": "{name}", "mode": "{mode}"}}'.encode() for name, mode in (("A", "quiet"), ("B", "explore"))}
    versions = [*good, b'{"wearer": "C", "mode": "no such mode"}', b'{"wearer": "D", ']
    write_whole(file, versions[0])
    rename = (
        "import itertools, os, sys\nfile, *versions = sys.argv[1:]\n"
        "for version in itertools.cycle(versions):\n"
        "    open(file + '.new', 'w').write(version)\n"
        "    os.replace(file + '.new', file)\n"
    )
    words = [sys.executable, "-c", rename, str(file), *(version.decode() for version in versions)]
    with subprocess.Popen(words) as writer:
        try:
            for _ in range(400):
                found = active(tmp_path)
                assert (found.content in good) == (not found.fault)
                if not found.fault:
                    assert (
                        config_file.read_json(file, Profile, (), Profile(), content=found.content)[0] == found.profile
                    )
                assert keep_good(tmp_path, found) == ""
                kept = tmp_path / "good" / "default.json"
                assert not kept.exists() or kept.read_bytes() in good
        finally:
            writer.kill()
    assert kept.exists()
