"""The units under a real systemd: what a hang, a kill, a failure and a missing package lead to, and what is forbidden.

CUELENS_MEASURED names a JSON file that gets the measured seconds.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

pytestmark = pytest.mark.slow

GLASSES, ALARM = "cuelens.service", "cuelens-alarm.service"
PROFILE: Final = "/var/lib/cuelens/profiles/default.json"
SETTINGS: Final = "/etc/cuelens/cuelens.toml"
GOOD: Final = '[camera]\nsource = "/opt/cuelens/still.avi"\n'
HUNG_S: Final = 30.0
"""Far above what is aimed at (5 s) and promised (8 s): these are reported, and no test's assertion."""
MEASURED: dict[str, float] = {}


@pytest.fixture(scope="module", autouse=True)
def report() -> Iterator[None]:
    """Print what was measured, and write it where CUELENS_MEASURED says."""
    yield
    for what, seconds in MEASURED.items():
        print(f"\n{what}: {seconds:.1f} s", end="")
    if (place := os.environ.get("CUELENS_MEASURED")) and MEASURED:
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        Path(place).write_text(json.dumps(MEASURED, indent=1) + "\n")


@pytest.fixture
def glasses(board: Any) -> Iterator[Any]:
    """Glasses that are well and running."""
    board.look_from_now_on()
    board.write(SETTINGS, GOOD)
    board.run("rm", "--force", PROFILE)
    board.run("systemctl", "reset-failed", GLASSES)
    board.does("systemctl", "start", GLASSES)
    yield board
    board.run("systemctl", "stop", GLASSES)


def main_pid(board: Any) -> int:
    return int(board.shown(GLASSES, "MainPID"))


def seeing_since_s(board: Any, not_pid: int) -> float | None:
    """Return the monotonic time at which another process than `not_pid` told of its first beat; None if none has."""
    if board.shown(GLASSES, "ActiveState") != "active" or main_pid(board) == not_pid:
        return None
    ready, fed = (
        int(board.shown(GLASSES, f"{name}TimestampMonotonic") or 0) / 1e6 for name in ("ActiveEnter", "Watchdog")
    )
    return fed if fed > ready else None


def struck(board: Any, number: int, what: str) -> None:
    """Strike the daemon with a signal, and wait until another one has seen. The seconds are reported."""
    pid = main_pid(board)
    began_s = time.monotonic()
    board.does("systemctl", "kill", "--kill-whom=main", f"--signal={number}", GLASSES)
    seen = []
    assert board.until(lambda: seen.append(seeing_since_s(board, pid)) or seen[-1], HUNG_S), board.journal(GLASSES)
    MEASURED[what] = round(seen[-1] - began_s, 2)


def dark_times(board: Any, unit: str = GLASSES) -> int:
    """Return how often the capture light was put out."""
    return len(re.findall(r"^[\d.]+ 24=0$", board.journal(unit), re.MULTILINE))


def is_dark_after_each_end(board: Any) -> bool:
    """Whether the capture light was put out as often as the glasses ended."""
    return dark_times(board) == board.journal(GLASSES).count("Main process exited")


def other_restarts(board: Any) -> int:
    """Return how often the glasses were started again, but by their watchdog: a busy machine may starve that."""
    all_times = int(board.shown(GLASSES, "NRestarts"))
    # An end that comes between these lines is counted in the second alone.
    return max(0, all_times - board.journal(GLASSES).count("Watchdog timeout"))


def pulses(board: Any, unit: str = GLASSES) -> int:
    return len(re.findall(r"^[\d.]+ 17=1$", board.journal(unit), re.MULTILINE))


def test_the_glasses_tell_that_they_are_ready_and_go_on_beating(glasses: Any) -> None:
    assert (glasses.shown(GLASSES, "ActiveState"), glasses.shown(GLASSES, "SubState")) == ("active", "running")
    fed = glasses.shown(GLASSES, "WatchdogTimestampMonotonic")
    assert glasses.until(lambda: glasses.shown(GLASSES, "WatchdogTimestampMonotonic") != fed)
    assert glasses.until(
        lambda: re.search(r"\d+ frames a second, \d+ beats a second", glasses.shown(GLASSES, "StatusText"))
    )
    assert other_restarts(glasses) == 0


@pytest.mark.parametrize(
    ("number", "what"),
    [
        (signal.SIGSTOP, "a process that stands still, to the next one's first beat"),
        (signal.SIGUSR2, "a beat that computes for ever, to the next one's first beat"),
    ],
)
def test_what_hangs_is_killed_by_the_watchdog_and_another_sees(glasses: Any, number: int, what: str) -> None:
    struck(glasses, number, what)
    journal = glasses.journal(GLASSES)
    assert "Watchdog timeout (limit 3s)!" in journal
    assert "Failed with result 'watchdog'" in journal
    # On a busy machine the next one may be ended too.
    assert glasses.until(lambda: is_dark_after_each_end(glasses)), glasses.journal()
    assert pulses(glasses) == 0


def test_what_is_killed_is_started_again_with_its_lights_out(glasses: Any) -> None:
    struck(glasses, signal.SIGKILL, "a process that is killed, to the next one's first beat")
    assert "code=killed, status=9/KILL" in glasses.journal(GLASSES)
    # On a busy machine the watchdog may end the next one.
    assert glasses.until(lambda: is_dark_after_each_end(glasses)), glasses.journal()
    assert pulses(glasses) == 0
    assert "Starting" not in glasses.journal(ALARM)


def test_a_failed_start_glimmers_once_each_time_and_is_tried_again_until_it_succeeds(glasses: Any) -> None:
    glasses.write(SETTINGS, "[camera\n")
    glasses.run("systemctl", "restart", GLASSES)
    assert glasses.until(lambda: glasses.journal(GLASSES).count("status=3/") >= 2)
    glasses.write(SETTINGS, GOOD)
    assert glasses.until(lambda: glasses.shown(GLASSES, "ActiveState") == "active")
    journal = glasses.journal(GLASSES)
    assert pulses(glasses) == journal.count("status=3/")
    # Each end, the one that was asked for too.
    assert dark_times(glasses) >= 1 + 2 * pulses(glasses)


def test_a_missing_package_ends_in_the_alarm_and_in_no_further_try(glasses: Any) -> None:
    if glasses.run("/opt/cuelens/bin/python", "-c", "import picamera2").returncode == 0:
        pytest.skip("picamera2 is installed")
    # The daemon leaves the alarm's clip where the profile has sound.
    glasses.write(PROFILE, '{"sound": {"on": true, "say": "earcons"}}')
    glasses.does("systemctl", "reload", GLASSES)
    assert glasses.until(lambda: glasses.run("test", "-e", "/var/lib/cuelens/alarm.wav").returncode == 0)
    glasses.does("systemctl", "stop", GLASSES)
    glasses.write(SETTINGS, '[camera]\nsource = "picamera2"\n')
    glasses.run("systemctl", "start", GLASSES)
    assert glasses.until(lambda: "Finished" in glasses.journal(ALARM))
    assert glasses.shown(GLASSES, "ActiveState") == "failed"
    assert glasses.shown(GLASSES, "ExecMainStatus") == "69"
    assert glasses.shown(ALARM, "Result") == "success"
    assert "aplay -q -D default /var/lib/cuelens/alarm.wav" in glasses.journal(ALARM)
    assert (pulses(glasses), pulses(glasses, ALARM)) == (1, 3)
    assert dark_times(glasses, ALARM) >= 1
    assert other_restarts(glasses) == 0


FORBIDDEN = [
    ("import socket; socket.socket(socket.AF_INET)", "Address family not supported"),
    ("import socket; socket.socket(socket.AF_INET6)", "Address family not supported"),
    ("import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)", "Address family not supported"),
    ("import socket; socket.socket(socket.AF_VSOCK)", "Address family not supported"),
    # Files that everybody may write to, by their modes.
    ("open('/etc/everybody', 'a')", "Read-only file system"),
    ("open('/opt/cuelens/everybody', 'a')", "Read-only file system"),
    ("open('/var/lib/everybody', 'a')", "Read-only file system"),
    ("import os; os.listdir('/root')", "Permission denied"),
    ("import os; os.setuid(0)", "Operation not permitted"),
    ("import os; os.chown('/var/lib/cuelens', 0, 0)", "Operation not permitted"),
    (
        (
            "import ctypes as c, os; failed = c.CDLL(None, use_errno=True).unshare(0x10000000);"
            " assert not failed, os.strerror(c.get_errno())"
        ),
        "Operation not permitted",
    ),
    ("import time; time.clock_settime(time.CLOCK_REALTIME, time.time())", "Operation not permitted"),
    ("open('/proc/sys/kernel/hostname', 'w')", "Read-only file system"),
    ("import os; os.kill(1, 9)", "Operation not permitted"),
]
ALLOWED = [
    "import socket; socket.socket(socket.AF_UNIX); socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15)",
    "open('/var/lib/cuelens/probe', 'w'); open('/run/cuelens/probe', 'w')",
    "import os; os.listdir('/proc/sys/kernel'); open('/proc/cpuinfo').read()",
    "import subprocess; subprocess.run(['aplay', '--version'], check=True)",
    "import mmap; mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE)",
]
PROBE = """
import sys
for number, line in enumerate(open(sys.argv[1]).read().splitlines()):
    try:
        exec(line, {})
        print(number, "done", flush=True)
    except Exception as error:
        print(number, error, flush=True)
"""


def probed(board: Any, unit: str, lines: list[str]) -> dict[int, str]:
    """Run lines of Python in the sandbox of a unit, in place of its program. Returns what each led to."""
    text = board.does("cat", f"/etc/systemd/system/{unit}")
    keys = r"^(Type|NotifyAccess|Exec\w+|Watchdog\w+|Restart\w*|OnFailure|BindsTo|Requires|After|Condition\w+)=.*\n"
    program = "ExecStart=/opt/cuelens/bin/python /etc/probe.py /etc/probe.lines\nType=oneshot\n"
    kept = re.sub(keys, "", text, flags=re.MULTILINE).replace("[Service]\n", f"[Service]\n{program}")
    board.write("/etc/probe.py", PROBE)
    board.write("/etc/probe.lines", "\n".join(lines) + "\n")
    board.write("/run/systemd/system/probe.service", kept)
    board.does("systemctl", "daemon-reload")
    board.run("systemctl", "start", "probe.service")
    said = dict(re.findall(r"^(\d+) (.*)$", board.journal("probe.service"), re.MULTILINE))
    return {int(number): outcome for number, outcome in said.items()}


def test_the_glasses_may_do_what_they_need_and_nothing_else(glasses: Any) -> None:
    for place in ("/etc", "/opt/cuelens", "/var/lib"):
        glasses.does("install", "-m", "666", "/dev/null", f"{place}/everybody")
    outcomes = probed(glasses, GLASSES, [*ALLOWED, *(line for line, _ in FORBIDDEN)])
    assert [outcomes[number] for number in range(len(ALLOWED))] == ["done"] * len(ALLOWED)
    for number, (line, refusal) in enumerate(FORBIDDEN, len(ALLOWED)):
        assert refusal in outcomes[number], line


def test_the_page_has_a_network_and_nothing_of_the_glasses(glasses: Any) -> None:
    lines = [
        "import socket; socket.socket(socket.AF_INET)",
        "import socket; socket.socket(socket.AF_INET6)",
        "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15)",
        "import os; os.listdir('/var/lib/cuelens')",
        "import time; time.clock_settime(time.CLOCK_REALTIME, time.time())",
        "open('/run/cuelens-page/clock', 'w')",
    ]
    refusals = [
        "done",
        "Address family not supported",
        "Address family not supported",
        "Permission denied",
        "Operation not permitted",
        "done",
    ]
    outcomes = probed(glasses, "cuelens-page.service", lines)
    for number, refusal in enumerate(refusals):
        assert refusal in outcomes[number], lines[number]


def test_what_only_the_start_needed_is_given_back_under_the_sandbox(glasses: Any) -> None:
    pid = main_pid(glasses)

    def given_back_kb() -> int:
        status = dict(
            re.findall(r"^(VmHWM|VmRSS):\s+(\d+) kB$", glasses.does("cat", f"/proc/{pid}/status"), re.MULTILINE)
        )
        return int(status["VmHWM"]) - int(status["VmRSS"])

    assert glasses.until(lambda: seeing_since_s(glasses, 0)), "no beat"
    assert given_back_kb() > 10 * 1024


def test_memory_has_a_cap(glasses: Any) -> None:
    assert glasses.shown(GLASSES, "MemoryMax") == str(300 * 2**20)
    if not glasses.shown(GLASSES, "MemoryCurrent").isdigit():
        pytest.skip("this container has no memory controller: that the kernel keeps to the cap is not seen")
    hungry = "held = bytearray(400 * 2**20)"
    assert probed(glasses, GLASSES, ["pass", hungry]) == {0: "done"}


def test_the_page_comes_at_the_gesture_and_takes_its_network_with_it(glasses: Any) -> None:
    page, network = "cuelens-page.service", "cuelens-access-point.service"
    glasses.does("systemctl", "start", "cuelens-page.path", "cuelens-clock.path")
    assert glasses.shown(page, "ActiveState") == "inactive"
    glasses.does("touch", "/run/cuelens/calibrate")
    fetch = ["nsenter", "--target", str(glasses.leader()), "--net", "--", sys.executable, "-c"]
    code = "import urllib.request as u; print(u.urlopen('http://10.42.0.1/', timeout=5).read().decode())"
    screens: list[str] = []

    def is_served() -> bool:
        screens.append(subprocess.run([*fetch, code], capture_output=True, text=True, check=False).stdout)
        return "cuelens" in screens[-1]

    assert glasses.until(is_served), glasses.journal(page)
    assert glasses.shown(network, "ActiveState") == "active"
    # The kernel tells the glasses who asks, though other users are nobody to them.
    ask = (
        "from pathlib import Path; from cuelens.link import client, requests;"
        "print(client.exchange(requests.Watch(), [Path('/run/cuelens/link.sock')]))"
    )
    for user, answer in (("cuelens-page", "Glasses("), ("nobody", "")):
        done = glasses.run("setpriv", f"--reuid={user}", "--init-groups", "/opt/cuelens/bin/python", "-c", ask)
        assert (done.returncode == 0, done.stdout[: len(answer)]) == (bool(answer), answer), done.stderr
    # The phone's time goes to a unit of its own. Whether a container may set a clock is another matter.
    leave = "date +%s >/run/cuelens-page/clock"
    glasses.does("setpriv", "--reuid=cuelens-page", "--init-groups", "sh", "-c", leave)
    assert glasses.until(lambda: "sets the clock by" in glasses.journal("cuelens-clock.service"))
    glasses.does("systemctl", "stop", page)
    assert glasses.until(lambda: glasses.shown(network, "ActiveState") == "inactive")
    assert "10.42.0.1" not in glasses.does("ip", "address", "show", "dev", "lo")
    assert not is_served()


@pytest.fixture
def ladder(glasses: Any) -> Iterator[Any]:
    """Glasses with the last rungs, which come sooner than an hour and after two starts."""
    checkout = ("make", "-s", "-C", "/opt/cuelens/checkout", "install-units")
    glasses.does(*checkout, "REBOOT=1")
    glasses.write("/etc/systemd/system/cuelens.service.d/sooner.conf", "[Unit]\nStartLimitBurst=2\n")
    place = "/etc/systemd/system/cuelens-reboot.service.d/sooner.conf"
    glasses.write(place, "[Service]\nEnvironment=CUELENS_UPTIME=/etc/uptime CUELENS_REST_S=1\n")
    glasses.write("/etc/uptime", "100.00 1.00\n")
    glasses.does("systemctl", "daemon-reload")
    yield glasses
    glasses.does(*checkout)
    glasses.does("rm", "/etc/systemd/system/cuelens.service.d/sooner.conf")
    glasses.does("systemctl", "daemon-reload")


def test_a_stop_that_takes_too_long_reboots_nothing(ladder: Any) -> None:
    first = ladder.leader()
    late = "/etc/systemd/system/cuelens.service.d/late.conf"
    ladder.write(late, "[Service]\nTimeoutStopSec=1\nExecStop=sleep 100\n")
    ladder.does("systemctl", "daemon-reload")
    assert ladder.until(lambda: ladder.shown(GLASSES, "ActiveState") == "active"), ladder.journal()
    ladder.run("systemctl", "stop", GLASSES)
    assert ladder.shown(GLASSES, "Result") == "timeout", ladder.journal()
    assert ladder.until(lambda: "did not end in time: no reboot" in ladder.journal("cuelens-reboot.service"))
    # Whoever starts them anew at once is not late either, though the alarm comes before the last rung.
    ladder.look_from_now_on()
    ladder.does("systemctl", "reset-failed", GLASSES)
    ladder.does("systemctl", "start", GLASSES)
    ladder.write("/etc/systemd/system/cuelens-alarm.service.d/later.conf", "[Service]\nExecStartPre=sleep 3\n")
    ladder.does("systemctl", "daemon-reload")
    ladder.run("systemctl", "stop", GLASSES)
    ladder.does("systemctl", "start", GLASSES)
    assert ladder.until(lambda: "was started anew: no reboot" in ladder.journal("cuelens-reboot.service"))
    assert ladder.leader() == first
    ladder.does("rm", late, "/etc/systemd/system/cuelens-alarm.service.d/later.conf")
    ladder.does("systemctl", "daemon-reload")
    ladder.does("systemctl", "reset-failed", GLASSES)
    ladder.does("systemctl", "start", GLASSES)


def test_the_last_rungs_are_the_alarm_one_reboot_and_then_new_tries(ladder: Any) -> None:
    reboot, first = "cuelens-reboot.service", ladder.leader()
    ladder.does("systemctl", "stop", GLASSES)
    ladder.write(SETTINGS, '[camera]\nsource = "picamera2"\n')
    ladder.run("systemctl", "start", GLASSES)
    assert ladder.until(lambda: "a package is missing: no reboot mends that" in ladder.journal(reboot))
    ladder.write(SETTINGS, "[camera\n")
    ladder.does("systemctl", "reset-failed", GLASSES)
    ladder.run("systemctl", "start", GLASSES)
    assert ladder.until(lambda: ladder.leader() not in (None, first)), ladder.journal()
    assert ladder.booted()
    ladder.does("test", "-e", "/var/lib/cuelens-reboot/rebooted")
    # The same settings, the same end; but the hour is not over.
    second = ladder.leader()
    ladder.look_from_now_on()
    ladder.run("systemctl", "start", GLASSES)
    assert ladder.until(lambda: "new tries in 1 s" in ladder.journal(reboot)), ladder.journal()
    ladder.write(SETTINGS, GOOD)
    assert ladder.until(lambda: ladder.shown(GLASSES, "ActiveState") == "active"), ladder.journal()
    assert ladder.leader() == second
    assert "Start request repeated too quickly" in ladder.journal(GLASSES)
    assert pulses(ladder, ALARM) == 3
