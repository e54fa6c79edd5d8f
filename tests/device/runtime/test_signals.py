"""SIGHUP: the terminal is gone, or a service is to read its profile again."""

import os
import pty
import signal
import subprocess
import sys

import pytest

SCRIPT = """
import os, signal, sys
from cuelens.runtime.signals import stop_on_signals
if sys.argv[1] == "terminal":
    # The first terminal that the leader of a session opens becomes its own.
    os.close(os.open(sys.argv[2], os.O_RDWR))
if sys.argv[1] == "nohup":
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
with stop_on_signals() as stop:
    os.kill(os.getpid(), signal.SIGHUP)
    print(stop.event.is_set(), stop.status, stop.reloads.qsize())
    os.kill(os.getpid(), signal.SIGTERM)
    print(stop.event.is_set(), stop.status)
"""


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("service", ["False 0 1", "True 0"]),
        ("terminal", ["True 0 0", "True 0"]),
        ("nohup", ["False 0 0", "True 0"]),
    ],
)
def test_a_hang_up_ends_what_has_a_terminal_and_asks_all_else_for_the_profile(place: str, expected: list[str]) -> None:
    leader, follower = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, place, os.ttyname(follower)],
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    os.close(leader)
    os.close(follower)
    assert done.stdout.splitlines() == expected, done.stderr


ANEW = """
import os, signal, sys
from cuelens.runtime.signals import stop_on_signals
with stop_on_signals() as stop:
    if sys.argv[1:] == ["first"]:
        stop.begin_anew()
        if os.environ["ENDED"]:
            os.kill(os.getpid(), signal.SIGTERM)
    else:
        print("second", stop.reloads.qsize())
if stop.begins_anew:
    os.kill(os.getpid(), signal.SIGHUP)
    print("pending", len(signal.sigpending()), flush=True)
    os.execv(sys.executable, [sys.executable, "-c", os.environ["ANEW"], "second"])
"""


@pytest.mark.parametrize(("ended", "expected"), [("", ["pending 1", "second 1"]), ("yes", [])])
def test_a_hang_up_between_two_runs_of_a_process_is_kept_for_the_second(ended: str, expected: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ANEW, "first"],
        env=os.environ | {"ANEW": ANEW, "ENDED": ended},
        capture_output=True,
        text=True,
        check=False,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
    )
    assert (done.returncode, done.stdout.splitlines()) == (0, expected), done.stderr
