"""The profiles of a state folder: what names may be, and that nothing of the family's is lost."""

import os
import threading
from pathlib import Path

import pytest

from cuelens.calibration.correction import Correction
from cuelens.profile import store
from cuelens.profile.library import FACTORY, Library, versions
from cuelens_models.errors import BadInput, Unwritable


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path)


def test_a_name_that_looks_like_a_kept_profile_is_refused_and_leaves_no_file(library: Library, tmp_path: Path) -> None:
    library.create("home")
    with pytest.raises(BadInput, match="home-1"):
        library.create("home-1")
    assert [file.name for file in (tmp_path / "profiles").iterdir()] == ["home.json"]
    assert library.active.stem == "home"


def test_a_profile_that_would_pass_for_what_a_new_one_replaced_is_not_lost(library: Library, tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "class-3.json").write_text('{"schema": 1}')
    with pytest.raises(BadInput, match="class-3"):
        library.create("class")
    assert "class-3" in library.names()


def test_a_copy_of_a_damaged_profile_is_what_is_used_in_its_place(library: Library, tmp_path: Path) -> None:
    library.create("home")
    (tmp_path / "profiles" / "home.json").write_bytes(b"{")
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "home.json").write_bytes(b'{"mode": "quiet", "cues": {"happy": null}}')
    before = library.read_active()
    assert before.profile.mode == "quiet"
    library.create("school")
    after = library.read_active()
    assert (after.name, after.fault, after.profile) == ("school", "", before.profile)
    assert (tmp_path / "profiles" / "home.json").read_bytes() == b"{"


def test_a_copy_of_a_profile_is_its_file_and_without_one_the_factorys(library: Library, tmp_path: Path) -> None:
    library.create("home")
    assert library.active.read_bytes() == FACTORY
    library.active.write_bytes(b'{"mode": "quiet"} // by hand')
    library.create("school")
    assert library.active.read_bytes() == b'{"mode": "quiet"} // by hand'
    library.active.write_bytes(b"{")
    library.create("class")
    assert library.active.read_bytes() == FACTORY


def test_the_first_profile_has_a_language(library: Library, tmp_path: Path) -> None:
    assert library.begin("de")
    assert library.read_active().profile.language == "de"
    assert library.read_active().fault == ""
    assert not library.begin("fr")
    assert library.read_active().profile.language == "de"
    # After a power cut nobody knows what was told of the first call.
    assert library.begin("de")
    assert [file.name for file in (tmp_path / "profiles").iterdir()] == ["default.json"]


@pytest.mark.parametrize("there", ["profiles/mia.json", "profiles/.draft.json", "profiles/default.json", "active"])
def test_a_language_is_only_for_the_first_profile(library: Library, tmp_path: Path, there: str) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / there).write_text("mia")
    assert not library.begin("de")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / there]


def test_a_damaged_active_file_lets_another_profile_be_chosen(library: Library, tmp_path: Path) -> None:
    library.create("home")
    (tmp_path / "active").write_bytes(b"../../etc/passwd")
    assert library.name == ""
    assert library.names() == ["home"]
    library.choose("home")
    assert library.name == "home"


@pytest.mark.parametrize("odd", [b"caf\xe9.json", b"two words.json", b"a.b.json", b".draft.json", b"x" * 61 + b".json"])
def test_a_file_whose_name_no_profile_may_have_is_not_offered(library: Library, tmp_path: Path, odd: bytes) -> None:
    library.create("home")
    (tmp_path / "profiles" / os.fsdecode(odd)).write_text('{"schema": 1}')
    assert library.names() == ["home"]


def test_recordings_beside_a_profile_that_was_named_are_the_familys_own(tmp_path: Path) -> None:
    file = tmp_path / "mia.json"
    file.write_text('{"schema": 1}')
    (tmp_path / "happy-1.wav").write_bytes(b"mama")
    library = Library(tmp_path / "state", file)
    library.write_draft(b'{"schema": 1, "mode": "quiet"}')
    library.save_draft()
    assert (tmp_path / "happy-1.wav").exists()


def test_recordings_go_with_the_profile_or_the_draft_that_named_them(library: Library, tmp_path: Path) -> None:
    library.create("home")
    folder = tmp_path / "profiles"
    for name in ("happy-1.wav", "sad-1.wav", "angry-1.wav"):
        (folder / name).write_bytes(b"mama")
    (folder / "school.json").write_text('{"cues": {"happy": {"recording": "happy-1.wav"}}}')
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "home.json").write_text('{"cues": {"angry": {"recording": "angry-1.wav"}}}')
    library.write_draft(b'{"schema": 1}')
    (folder / ".draft.json").write_text('{"cues": {"sad": {"recording": "sad-1.wav"}}}')
    library.remove("school")
    assert {file.name for file in folder.glob("*.wav")} == {"sad-1.wav", "angry-1.wav"}
    library.discard_draft()
    assert {file.name for file in folder.glob("*.wav")} == {"angry-1.wav"}


NAMES_A_VOICE = '{"cues": {"happy": {"recording": "./happy-1.wav"}}}'


@pytest.mark.parametrize(
    "content",
    [
        NAMES_A_VOICE.encode("utf-16"),
        NAMES_A_VOICE.replace("happy-1", r"\u0068appy-1").encode(),
        NAMES_A_VOICE[:-1].encode(),
        b"",
        None,
    ],
    ids=["UTF-16", "escaped", "cut off", "empty", "a folder"],
)
def test_a_recording_stays_that_a_profile_names_or_may_name(
    library: Library, tmp_path: Path, content: bytes | None
) -> None:
    folder = tmp_path / "profiles"
    library.create("home")
    (folder / "happy-1.wav").write_bytes(b"mama")
    if content is None:
        (folder / "mia.json").mkdir()
    else:
        (folder / "mia.json").write_bytes(content)
    library.write_draft(b'{"mode": "quiet"}')
    library.save_draft()
    library.write_draft(b'{"mode": "explore"}')
    library.discard_draft()
    library.create("school")
    library.remove("home")
    assert (folder / "happy-1.wav").exists()
    assert library.names() == (["school"] if content is None else ["mia", "school"])


def test_a_recording_that_cannot_be_deleted_bars_nothing(library: Library, tmp_path: Path) -> None:
    (tmp_path / "profiles" / "happy-1.wav").mkdir(parents=True)
    library.write_draft(b'{"mode": "quiet"}')
    library.save_draft()
    assert library.read_active().profile.mode == "quiet"


def test_a_reset_deletes_recordings_in_folders_and_nothing_behind_a_link(library: Library, tmp_path: Path) -> None:
    family = tmp_path / "family"
    family.mkdir()
    (family / "mum.wav").write_bytes(b"mama")
    library.create("home")
    voices = tmp_path / "profiles" / "voices"
    (voices / "at home").mkdir(parents=True)
    for name in ("mum.wav", "at home/dad.wav"):
        (voices / name).write_bytes(b"mama")
    for link in (voices / "linked", tmp_path / "profiles" / "linked"):
        link.symlink_to(family)
    library.reset()
    assert list((tmp_path / "profiles").iterdir()) == []
    assert list(family.iterdir()) == [family / "mum.wav"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give folders away")
def test_a_folder_that_root_makes_belongs_to_the_user_of_the_state(library: Library, tmp_path: Path) -> None:
    os.chown(tmp_path, 4321, 4321)
    library.create("home")
    library.write_draft(b'{"schema": 1}')
    library.save_draft()
    made = [tmp_path / "profiles", tmp_path / "active", tmp_path / "profiles" / "home.json"]
    assert {path.stat().st_uid for path in made} == {4321}


def test_the_last_twenty_versions_stay_in_their_order(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "profiles"
    for number in range(25):
        library.write_draft(b'{"session": {"minutes": %d}}' % number)
        library.save_draft()
    (folder / "default-x.json").write_bytes(b"{}")
    (folder / "default-1-2.json").write_bytes(b"{}")
    (folder / "defaults-1.json").write_bytes(b"{}")
    library.write_draft(b'{"session": {"minutes": 25}}')
    library.save_draft()
    kept = versions(library.active)
    assert [file.name for file in kept] == [f"default-{number}.json" for number in range(6, 26)]
    assert [store.read(file).session.minutes for file in kept] == list(range(5, 25))
    assert len(list(folder.glob("*.json"))) == 20 + 3 + 1


def test_no_version_is_dropped_before_the_new_profile_is_there(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "profiles"
    library.create("home")
    for number in range(1, 22):
        (folder / f"home-{number}.json").write_bytes(b"{}")
    library.draft.mkdir()
    with pytest.raises(OSError, match="draft"):
        library.save_draft()
    assert {folder / f"home-{number}.json" for number in range(1, 22)} <= set(folder.iterdir())


def test_versions_beside_a_profile_that_was_named_are_never_dropped(tmp_path: Path) -> None:
    file = tmp_path / "mia.json"
    file.write_text("{}")
    for number in range(1, 26):
        (tmp_path / f"mia-{number}.json").write_text("{}")
    library = Library(tmp_path / "state", file)
    library.write_draft(b'{"mode": "quiet"}')
    library.save_draft()
    assert len(versions(file)) == 26


CALIBRATED = b'{"sound": {"on": true}, "people": {"shift": {"happy": 0.5}, "people": 2}}'


def test_a_family_that_is_forgotten_is_in_no_earlier_version_either(library: Library, tmp_path: Path) -> None:
    folder = tmp_path / "profiles"
    for content in (CALIBRATED, CALIBRATED.replace(b"0.5", b"0.25"), b'{"sound": {"on": true}}'):
        library.write_draft(content)
        library.save_draft()
    (tmp_path / "good").mkdir()
    (tmp_path / "good" / "default.json").write_bytes(CALIBRATED)
    library.forget_people()
    kept = [folder / "default-1.json", folder / "default-2.json", tmp_path / "good" / "default.json"]
    for file in kept:
        profile, _ = store.decoded(file)
        assert profile.people == Correction()
        assert profile.sound.on, "other choices stay"


@pytest.mark.parametrize("later", [b"{}", CALIBRATED])
def test_numbers_that_a_save_could_not_take_out_go_with_the_next(
    library: Library, tmp_path: Path, later: bytes
) -> None:
    folder = tmp_path / "profiles"
    for _ in range(2):
        library.write_draft(CALIBRATED)
        library.save_draft()
    library.write_draft(b'{"mode": "quiet"}')
    # No file can be written in the place of a folder: neither of the first version nor of the one before this save.
    barred = [folder / f".default-{number}.json.{threading.get_native_id()}.tmp" for number in (1, 2)]
    for place in barred:
        place.mkdir()
    library.save_draft()
    assert library.read_active().profile.mode == "quiet"
    with pytest.raises(Unwritable, match="default-1"):
        library.forget_people()
    barred[1].rmdir()
    with pytest.raises(Unwritable, match="default-1"):
        library.forget_people()
    assert store.decoded(folder / "default-2.json")[0].people == Correction(), "one failure costs no other version"
    barred[0].rmdir()
    library.write_draft(later)
    library.save_draft()
    assert store.decoded(folder / "default-1.json")[0].people == Correction()


@pytest.mark.parametrize("other", ["another-1.json", "default-1-2.json", "default-x.json"])
def test_only_versions_of_that_profile_are_forgotten_and_damaged_ones_are_left(
    library: Library, tmp_path: Path, other: str
) -> None:
    folder = tmp_path / "profiles"
    library.write_draft(CALIBRATED)
    library.save_draft()
    (folder / other).write_bytes(CALIBRATED)
    (folder / "default-7.json").write_bytes(b"{")
    library.forget_people()
    assert (folder / "default.json").read_bytes() == CALIBRATED, "its family is not forgotten"
    library.write_draft(b"{}")
    library.save_draft()
    assert (folder / other).read_bytes() == CALIBRATED
    assert (folder / "default-7.json").read_bytes() == b"{"
