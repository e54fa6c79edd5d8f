"""Which state folder a command uses: the chosen one, the service's, or the user's own; and who may use it."""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from cuelens.commands.state_folder import state_folder
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
    with pytest.raises(BadInput, match=f"{state} may not be used as it is: see `ls -ld {state}`"):
        state_folder(Settings(places=Places(state=str(state))), "profile reset", write=True)


def test_a_link_to_nothing_is_named(folders: Path) -> None:
    link = folders / "profiles"
    link.symlink_to(folders / "absent")
    with pytest.raises(BadInput, match=f"{link} may not be used as it is"):
        state_folder(Settings(places=Places(state=str(folders))), "story")
