"""The parts of the glasses, as the answer on the memory card tells them: `cuelens card check`, and who runs it.

It is a process of its own, of the user of the glasses: root would find a camera that the glasses may not open. On the
glasses it is a unit of systemd. It prints a line for each part as it comes: a part that hangs takes no other along.
"""

import os
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cuelens import settings
from cuelens.commands.settings_review import review
from cuelens_models.atomic_file import make_folder, write_whole
from cuelens_models.errors import CuelensError

RUNTIME: Final = Path("/run/cuelens-card")
"""Shared with the unit of the check, which names it too."""
LANGUAGE: Final = "CUELENS_LANGUAGE"
DEADLINE_S: Final = 150.0
"""Above that of the unit, which kills what hangs."""
_LEFT_OUT: Final[Collection[str]] = ("profile",)
"""It names a child, and anybody may read the card."""
_MOST_LETTERS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Parts:
    """What was found of the parts.

    Attributes:
        lines: one for each part, in the words of `doctor`.
        ended: it came to its end.
    """

    lines: tuple[str, ...]
    ended: bool

    @property
    def well(self) -> bool:
        """Whether every part was looked at, and none failed."""
        return self.ended and not any(line.startswith(("FAILED", "skipped")) for line in self.lines)


def check(language: str, config: Path | None) -> int:
    """Make the first profile with a language, and check every part. Prints a line for each.

    Args:
        language: its code; "" for none.
        config: the settings; None for the usual file.

    Returns 1 if something failed, else 0.
    """
    # The vision's libraries take a while: `take` does without them.
    from cuelens.commands.doctor import doctor

    begun = not language or _begin(language, config)
    status = doctor(config, as_json=False, leave_out=_LEFT_OUT)
    return status if begun else 1


def by_child(language: str, config: Path) -> Parts:
    """Have a child process check the parts. config: the settings, which need not exist."""
    command = [sys.executable, "-m", "cuelens", "card", "check", "--language", language]
    if config.exists():
        command += ["--config", str(config)]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, timeout=DEADLINE_S, check=False)
    except subprocess.TimeoutExpired as error:
        return _parts(error.stdout or b"", ended=False)
    return _parts(done.stdout, ended=done.returncode in (0, 1))


def by_unit(language: str, unit: str, folder: Path = RUNTIME) -> Parts:
    """Have a unit of systemd check the parts, and wait for its end.

    folder: the unit reads the file `request` there, and its standard output goes to `parts`.
    """
    request, found = folder / "request", folder / "parts"
    make_folder(folder)
    found.unlink(missing_ok=True)
    write_whole(request, f"{LANGUAGE}={language}\n".encode())
    try:
        done = subprocess.run(["systemctl", "start", unit], timeout=DEADLINE_S, check=False)
        ended = done.returncode == 0
    except (OSError, subprocess.TimeoutExpired) as error:
        print(f"{unit}: {error}", file=sys.stderr)
        ended = False
    return _parts(found.read_bytes() if found.exists() else b"", ended=ended)


def _begin(language: str, config: Path | None) -> bool:
    """Make the first profile. Prints a line of `doctor`'s, and returns whether nothing failed."""
    from cuelens.profile.library import Library

    state = review(config or settings.usual_path()).settings.state_dir()
    earlier = os.umask(0o077)
    try:
        made = Library(state).begin(language)
    except (CuelensError, OSError) as error:
        print(f"FAILED    language  the first profile cannot be written: {error}", flush=True)
        return False
    finally:
        os.umask(earlier)
    passed_over = "passed over, since there is a profile already: its language is chosen on the caregiver's page"
    print(f"ok        language  {f'the first profile has {language}' if made else passed_over}", flush=True)
    return True


def _parts(said: bytes, *, ended: bool) -> Parts:
    text = said.decode(errors="replace")[:_MOST_LETTERS]
    return Parts(tuple(line.rstrip() for line in text.splitlines() if line.strip()), ended)
