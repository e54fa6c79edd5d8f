"""A run takes changed settings whole: it ends, and the process starts itself again under its own process ID.

A wrong file, and one that no run could begin with, changes nothing: the run goes on with the settings in force. A child
process finds that out, by all that a start checks: what it loads takes nothing from the beats but time.

python -m cuelens.commands.restart OPTIONS
"""

import os
import stat
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, NoReturn

import msgspec

from cuelens import settings
from cuelens.commands.startup import RunOptions, Startup, check
from cuelens.runtime.loop import Loop
from cuelens.runtime.signals import Stop
from cuelens_models import command
from cuelens_models.errors import BadInput

DAMAGED: Final = "settings damaged"
"""Fault of settings that are refused."""
_STAY: Final = "the settings in force stay"
_REPLACED: Final = ("bundle damaged", "profile damaged")
"""Faults of inputs that a start replaces by others. What is in force is better than these."""
_BARRED: Final = "state folder"
_MARK: Final = "CUELENS_BEGUN_ANEW"
"""Environment variable with the process ID of a process that has begun anew; those that it starts have other IDs."""
_NAME: Final = "check"
_CHECK_S: Final = 60.0
"""Deadline of a check: that of a start."""
_LAST_S: Final = 2.0
"""Deadline of what still writes or plays at the end."""
_POLL_S: Final = 0.01


def settings_changed(
    options: RunOptions, startup: Startup, fault: Callable[[str, str], None], *, calibrates: bool
) -> bool:
    """Read the settings again. Returns whether they are others than those in force, and a run can begin with them.

    Args:
        options: the command line.
        startup: the checked inputs of the run.
        fault: is called with the name and the details of what is wrong.
        calibrates: a calibration is on.

    Raises BadInput if they are refused.
    """
    try:
        if settings.read(options.config or settings.usual_path()) == startup.settings:
            return False
    except BadInput as error:
        raise _refused(fault, DAMAGED, str(error)) from error
    if bar := "a calibration is on: end it first" if calibrates else _bar(options):
        raise BadInput(f"the settings changed, but {bar}; {_STAY}")
    for name, detail in _faults_of_a_start(options, fault):
        if name in (*_REPLACED, _BARRED) and (name, detail) not in startup.faults:
            # The last clause of the others says what would replace it.
            raise _refused(fault, name, detail if name == _BARRED else detail.rpartition("; ")[0])
    return True


def end_run(loop: Loop, stop: Stop) -> None:
    """End a run in order, to begin anew."""
    loop.begins_anew = True
    stop.begin_anew()


def begin_anew() -> NoReturn:
    """Replace this process by a new one with its command line, files of standard input and output, and process ID."""
    end_s = time.monotonic() + _LAST_S
    for thread in threading.enumerate():
        if not thread.daemon and thread is not threading.current_thread():
            # It writes what the wearer wished for.
            thread.join(max(0.0, end_s - time.monotonic()))
    _await_children(end_s)
    for output in (sys.stdout, sys.stderr):
        if output:
            output.flush()
    for number in [int(path.name) for path in Path("/proc/self/fd").iterdir()]:
        # Libraries leave some open that know nothing of Python's rule.
        if number > 2:
            with suppress(OSError):
                os.set_inheritable(number, False)
    os.environ[_MARK] = str(os.getpid())
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def has_begun_anew() -> bool:
    """Tell whether an earlier run of this process ended for new settings."""
    return os.environ.get(_MARK) == str(os.getpid())


def _faults_of_a_start(options: RunOptions, fault: Callable[[str, str], None]) -> tuple[tuple[str, str], ...]:
    """Return the faults with which a run would begin now. Raises BadInput if none would."""
    # Imported here, on the thread of a reload: a start does not need it.
    import subprocess

    words = [sys.executable, "-m", "cuelens.commands.restart", msgspec.json.encode(options, enc_hook=str).decode()]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=_CHECK_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise _refused(fault, DAMAGED, f"no run could begin with them within {_CHECK_S:g} s") from error
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()[-1:] or [f"a check of the start ended with {done.returncode}"]
        raise _refused(fault, DAMAGED, said[0].removeprefix(f"{_NAME}: "))
    return msgspec.json.decode(done.stdout, type=tuple[tuple[str, str], ...])


def _bar(options: RunOptions) -> str:
    """Return why a run cannot be interrupted; "" if it can."""
    if options.as_fast:
        return "with --as-fast they are taken at the next start"
    if options.whole:
        return "the demo takes them at its next start"
    events = Path(options.events) if options.events and options.events != "-" else None
    if events and events.exists() and stat.S_ISFIFO(events.stat().st_mode):
        return f"whoever reads the pipe {events} would see its end: they are taken at the next start"
    return ""


def _refused(fault: Callable[[str, str], None], name: str, detail: str) -> BadInput:
    sentence = f"{detail}; {_STAY}"
    fault(name, sentence)
    return BadInput(sentence)


def _await_children(end_s: float) -> None:
    """Wait until no process that this one started is left: nobody would after it."""
    with suppress(ChildProcessError):
        while time.monotonic() < end_s:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(_POLL_S)


def main() -> None:
    """Check what a run would begin with, and print its faults as JSON."""
    command.finish(_NAME, _check, debug=False)


def _check() -> int:
    options = msgspec.json.decode(sys.argv[1], type=RunOptions, dec_hook=lambda kind, value: kind(value))
    print(msgspec.json.encode(check(options, None).faults).decode())
    return 0


if __name__ == "__main__":
    main()
