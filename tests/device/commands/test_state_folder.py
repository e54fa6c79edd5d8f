"""Which state folder a command uses: the chosen one, the service's, or the user's own; and who may use it."""

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cuelens.commands.state_folder import remedy, state_folder, trouble
from cuelens.settings import Places, Settings
from cuelens_models.errors import BadInput

NOBODY = 65534


@pytest.fixture
def folders(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        monkeypatch.setenv("XDG_STATE_HOME", str(folder / "user"))
        monkeypatch.delenv("STATE_DIRECTORY", raising=False)
        yield folder


@pytest.mark.parametrize(
    ("chosen", "systemd", "service", "expected"),
    [
        ("", "", False, "user/cuelens"),
        ("", "", True, "service"),
        ("", "systemd", True, "systemd"),
        ("chosen", "", True, "chosen"),
        ("chosen", "systemd", True, "chosen"),
    ],
)
def test_the_chosen_folder_comes_before_the_service_s_and_that_before_the_user_s(
    folders: Path, monkeypatch: pytest.MonkeyPatch, chosen: str, systemd: str, service: bool, expected: str
) -> None:
    if service:
        (folders / "service").mkdir()
    if systemd:
        monkeypatch.setenv("STATE_DIRECTORY", str(folders / systemd))
    setup = Settings(places=Places(state=str(folders / chosen) if chosen else ""))
    assert state_folder(setup, "story", service=folders / "service") == folders / expected


@pytest.fixture
def unprivileged() -> Iterator[None]:
    """Be nobody: root may read everything."""
    os.setegid(NOBODY)
    os.seteuid(NOBODY)
    yield
    os.seteuid(0)
    os.setegid(0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of another user")
@pytest.mark.parametrize(
    ("folder_mode", "file_mode", "write", "may"),
    [
        (0o755, 0o644, False, True),
        (0o755, 0o600, False, False),
        (0o700, 0o644, False, False),
        (0o711, 0o644, False, False),
        (0o755, 0o644, True, False),
        (0o777, 0o644, True, True),
    ],
)
def test_who_may_not_use_the_folder_learns_who_may(
    folders: Path, request: pytest.FixtureRequest, folder_mode: int, file_mode: int, write: bool, may: bool
) -> None:
    service = folders / "service"
    (service / "profiles").mkdir(parents=True)
    (service / "story.sqlite").touch()
    (service / "story.sqlite").chmod(file_mode)
    (service / "profiles").chmod(folder_mode)
    service.chmod(folder_mode)
    request.getfixturevalue("unprivileged")
    if may:
        assert state_folder(Settings(), "story", write=write, service=service) == service
        return
    with pytest.raises(BadInput) as caught:
        state_folder(Settings(), "story --csv all.csv", write=write, service=service)
    assert str(caught.value) == f"{service} belongs to root: run `sudo -u root cuelens story --csv all.csv`"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of another user")
def test_the_owner_is_not_sent_to_the_owner(folders: Path, request: pytest.FixtureRequest) -> None:
    state = folders / "state"
    state.mkdir(mode=0o500)
    os.chown(state, NOBODY, NOBODY)
    request.getfixturevalue("unprivileged")
    with pytest.raises(BadInput, match=f"{state} belongs to this user, who may not use it: run `chmod u.rwX {state}`"):
        state_folder(Settings(places=Places(state=str(state))), "profile reset", write=True)


OWN = "{0} belongs to this user, who may not use it: run `chmod u+rwX {0}`"
ROOTS = "{0} belongs to root: run `sudo chown -R nobody {0}`"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of another user")
@pytest.mark.parametrize(
    ("name", "mode", "owner", "commands", "reset", "run"),
    [
        ("", 0o000, NOBODY, OWN, OWN, OWN),
        ("", 0o500, NOBODY, "", OWN, OWN),
        ("profiles/", 0o500, NOBODY, "", OWN, ""),
        ("profiles/", 0o755, 0, "", ROOTS, ""),
        ("profiles/", 0o000, NOBODY, OWN, OWN, OWN),
        ("good/", 0o755, 0, "", "", ROOTS),
        ("phrases/", 0o700, 0, ROOTS, ROOTS, ROOTS),
        ("story.sqlite", 0o600, 0, ROOTS, ROOTS, ROOTS),
        ("story.sqlite", 0o644, 0, "", "", ROOTS),
        ("story.sqlite", 0o444, NOBODY, "", "", OWN),
        ("story.sqlite-wal", 0o600, 0, ROOTS, ROOTS, ROOTS),
        ("wearer.json", 0o600, 0, ROOTS, ROOTS, ROOTS),
        ("wearer.json", 0o644, 0, "", "", ""),
        ("active", 0o644, 0, "", "", ""),
        ("lost+found/", 0o700, 0, "", "", ""),
        ("link.sock", 0o600, 0, "", "", ""),
    ],
)
def test_what_bars_the_owner_is_named_with_what_to_do(
    folders: Path,
    request: pytest.FixtureRequest,
    name: str,
    mode: int,
    owner: int,
    commands: str,
    reset: str,
    run: str,
) -> None:
    state = folders / "state"
    state.mkdir()
    os.chown(state, NOBODY, NOBODY)
    place = state / name
    if name.endswith("/"):
        place.mkdir()
    elif name:
        place.touch()
    os.chown(place, owner, owner)
    place.chmod(mode)
    request.getfixturevalue("unprivileged")
    setup = Settings(places=Places(state=str(state)))

    def said(*, write: bool) -> str:
        try:
            state_folder(setup, "story", write=write)
        except BadInput as error:
            return str(error)
        return ""

    expected = [sentence.format(place) for sentence in (commands, reset, run)]
    assert [said(write=False), said(write=True), trouble(state)] == expected


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of another user")
@pytest.mark.parametrize(("mode", "reads", "runs"), [(0o755, True, False), (0o700, False, False), (0o777, True, True)])
def test_a_folder_that_is_not_there_may_lie_where_nobody_can_make_it(
    folders: Path, request: pytest.FixtureRequest, mode: int, reads: bool, runs: bool
) -> None:
    above = folders / "above"
    above.mkdir()
    above.chmod(mode)
    state = above / "new" / "state"
    request.getfixturevalue("unprivileged")
    sentence = (
        f"{state} cannot be reached, since {above} of root bars this user:"
        " mend its rights, or set places.state to another folder"
    )
    assert trouble(state) == ("" if runs else sentence)
    setup = Settings(places=Places(state=str(state)))
    if reads:
        assert state_folder(setup, "story") == state
        return
    with pytest.raises(BadInput) as caught:
        state_folder(setup, "story")
    assert str(caught.value) == sentence


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder of another user")
@pytest.mark.parametrize(
    ("mode", "owner", "sentence"),
    [
        (0o500, NOBODY, OWN),
        (0o755, 0, ROOTS),
        (0o700, NOBODY, "{0}/happy.wav cannot be changed: No space left on device"),
    ],
)
def test_a_change_that_failed_names_the_folder_that_bars_it(
    folders: Path, request: pytest.FixtureRequest, mode: int, owner: int, sentence: str
) -> None:
    recordings = folders / "state" / "profiles" / "mum"
    recordings.mkdir(parents=True)
    for folder in (folders / "state", recordings.parent):
        os.chown(folder, NOBODY, NOBODY)
    os.chown(recordings, owner, owner)
    recordings.chmod(mode)
    request.getfixturevalue("unprivileged")
    error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert remedy(error, recordings / "happy.wav", folders / "state") == sentence.format(recordings)


@pytest.mark.parametrize("below", ["", "state"])
def test_a_file_in_place_of_the_folder_is_named(folders: Path, below: str) -> None:
    file = folders / "file"
    file.touch()
    sentence = f"{file} is no folder: move it away"
    assert trouble(file / below) == sentence
    with pytest.raises(BadInput) as caught:
        state_folder(Settings(places=Places(state=str(file / below))), "story")
    assert str(caught.value) == sentence


def test_a_link_to_nothing_is_named(folders: Path) -> None:
    link = folders / "profiles"
    link.symlink_to(folders / "absent")
    with pytest.raises(BadInput, match=f"{link} may not be used as it is"):
        state_folder(Settings(places=Places(state=str(folders))), "story")
