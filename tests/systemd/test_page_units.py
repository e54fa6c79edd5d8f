"""All units by systemd's own judgement and by a table, and those of the caregiver's page by what they start."""

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SYSTEMD = Path(__file__).parents[2] / "systemd"
UNITS = sorted(path.name for path in (*SYSTEMD.glob("*.service"), *SYSTEMD.glob("*.path")))
EXPOSURE = {
    "cuelens.service": 1.0,
    "cuelens-alarm.service": 0.4,
    "cuelens-reboot.service": 0.7,
    "cuelens-page.service": 1.5,
    "cuelens-clock.service": 1.0,
    "cuelens-access-point.service": 1.6,
    "cuelens-access-point-setup.service": 0.9,
    "cuelens-card.service": 0.9,
    "cuelens-card-check.service": 1.0,
    "cuelens-country.service": 1.2,
}
TABLE = [
    ("cuelens-page.path", "PathChanged", ["/run/cuelens/calibrate"]),
    ("cuelens-page.path", "PathExists", []),
    ("cuelens-page.path", "WantedBy", ["paths.target"]),
    ("cuelens-page.service", "ConditionPathExists", ["/run/cuelens/calibrate"]),
    ("cuelens-page.service", "BindsTo", ["cuelens-access-point.service"]),
    ("cuelens-page.service", "StartLimitIntervalSec", ["0"]),
    ("cuelens-page.service", "Restart", ["no"]),
    ("cuelens-page.service", "User", ["cuelens-page"]),
    ("cuelens-page.service", "Group", ["cuelens-page"]),
    ("cuelens-page.service", "SupplementaryGroups", ["cuelens"]),
    ("cuelens-page.service", "PrivateDevices", ["yes"]),
    ("cuelens-page.service", "DevicePolicy", ["closed"]),
    ("cuelens-page.service", "DeviceAllow", []),
    ("cuelens-page.service", "RestrictAddressFamilies", ["AF_UNIX AF_INET"]),
    ("cuelens-page.service", "IPAddressDeny", ["any"]),
    ("cuelens-page.service", "IPAddressAllow", ["localhost 10.42.0.0/24"]),
    ("cuelens-page.service", "CapabilityBoundingSet", ["CAP_NET_BIND_SERVICE"]),
    ("cuelens-page.service", "AmbientCapabilities", ["CAP_NET_BIND_SERVICE"]),
    ("cuelens-page.service", "RuntimeDirectory", ["cuelens-page"]),
    ("cuelens-page.service", "ProtectClock", ["yes"]),
    # Of such a user port 80 is not opened.
    ("cuelens-page.service", "PrivateUsers", []),
    ("cuelens-page.service", "NoNewPrivileges", ["yes"]),
    ("cuelens-page.service", "MemoryMax", ["96M"]),
    ("cuelens-clock.path", "PathChanged", ["/run/cuelens-page/clock"]),
    ("cuelens-clock.service", "User", ["cuelens-page"]),
    ("cuelens-clock.service", "CapabilityBoundingSet", ["CAP_SYS_TIME"]),
    ("cuelens-clock.service", "PrivateNetwork", ["yes"]),
    # Each of these two would take the clock away from it.
    ("cuelens-clock.service", "ProtectClock", []),
    ("cuelens-clock.service", "PrivateUsers", []),
    ("cuelens.service", "OnFailure", ["cuelens-alarm.service"]),
    ("cuelens.service", "ExecStopPost", ["-/usr/lib/cuelens/lights-out"]),
    ("cuelens.service", "WatchdogSec", ["3"]),
    ("cuelens.service", "StartLimitIntervalSec", ["0"]),
    ("cuelens.service", "RestrictAddressFamilies", ["AF_UNIX AF_NETLINK"]),
    ("cuelens.service", "CapabilityBoundingSet", [""]),
    ("cuelens.service", "PrivateUsers", ["yes"]),
    ("cuelens.service", "MemoryMax", ["300M"]),
    # Each of these would blind a real board; the unit says how.
    ("cuelens.service", "PrivateNetwork", []),
    ("cuelens.service", "PrivateDevices", []),
    ("cuelens.service", "ProcSubset", []),
    ("cuelens-alarm.service", "ExecStart", ["/usr/lib/cuelens/alarm"]),
    ("cuelens-alarm.service", "User", ["cuelens"]),
    ("cuelens-alarm.service", "DeviceAllow", ["char-alsa rw", "char-gpiochip rw"]),
    ("cuelens-alarm.service", "PrivateNetwork", ["yes"]),
    ("cuelens-alarm.service", "WantedBy", []),
    ("cuelens-reboot.service", "StateDirectory", ["cuelens-reboot"]),
    ("cuelens-reboot.service", "CapabilityBoundingSet", [""]),
    # How long the board has been up stands in /proc/uptime.
    ("cuelens-reboot.service", "ProcSubset", []),
    ("cuelens-reboot.service", "WantedBy", []),
    ("reboot.conf", "OnFailure", ["cuelens-reboot.service"]),
    ("watchdog.conf", "RuntimeWatchdogSec", ["15"]),
    ("watchdog.conf", "RebootWatchdogSec", ["2min"]),
    ("cuelens-access-point.service", "StopWhenUnneeded", ["yes"]),
    ("cuelens-access-point.service", "ConditionPathExists", ["/run/cuelens/calibrate"]),
    ("cuelens-access-point.service", "CapabilityBoundingSet", ["CAP_NET_ADMIN"]),
    ("cuelens-access-point.service", "WantedBy", []),
    ("cuelens-access-point-setup.service", "Before", ["NetworkManager.service"]),
    ("cuelens-access-point-setup.service", "CapabilityBoundingSet", [""]),
    ("cuelens-access-point-setup.service", "PrivateNetwork", ["yes"]),
    # The glasses start with what was taken, and the check has the camera before them.
    ("cuelens-card.service", "Before", ["cuelens.service cuelens-country.service"]),
    ("cuelens-card.service", "ConditionPathExists", ["/boot/firmware/cuelens.toml"]),
    # An ordinary boot starts no Python.
    ("cuelens-card.service", "ExecCondition", ["/usr/lib/cuelens/card-changed"]),
    ("cuelens-card.service", "SuccessExitStatus", ["1"]),
    ("cuelens-card.service", "StateDirectory", ["cuelens-card"]),
    ("cuelens-card.service", "ConfigurationDirectory", ["cuelens"]),
    ("cuelens-card.service", "ReadWritePaths", ["/boot/firmware"]),
    ("cuelens-card.service", "CapabilityBoundingSet", [""]),
    ("cuelens-card.service", "PrivateNetwork", ["yes"]),
    ("cuelens-card.service", "PrivateDevices", ["yes"]),
    ("cuelens-card-check.service", "User", ["cuelens"]),
    ("cuelens-card-check.service", "CapabilityBoundingSet", [""]),
    # An order after the unit that waits for it would be a wait for ever.
    ("cuelens-card-check.service", "After", ["systemd-udev-settle.service sound.target"]),
    ("cuelens-card-check.service", "RuntimeDirectory", ["cuelens-card-check"]),
    ("cuelens-card-check.service", "WantedBy", []),
    ("cuelens-country.service", "Before", ["NetworkManager.service"]),
    ("cuelens-country.service", "ConditionPathExists", ["/etc/cuelens/country"]),
    ("cuelens-country.service", "CapabilityBoundingSet", ["CAP_NET_ADMIN"]),
    ("cuelens-country.service", "AmbientCapabilities", ["CAP_NET_ADMIN"]),
    ("cuelens-country.service", "DynamicUser", ["yes"]),
    # Of such a user no radio takes a word.
    ("cuelens-country.service", "PrivateUsers", []),
    ("cuelens-country.service", "PrivateNetwork", []),
    ("cuelens-country.service", "RestrictAddressFamilies", ["AF_NETLINK"]),
]
OF_THE_NETWORK = {
    "AmbientCapabilities=",
    "CapabilityBoundingSet=~CAP_NET_(BIND_SERVICE|BROADCAST|RAW)",
    "IPAddressDeny=",
    "PrivateUsers=",
    "RestrictAddressFamilies=~AF_(INET|INET6)",
}
"""What the page may and the glasses may not: serve phones, on port 80."""


def values(unit: str, name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", (SYSTEMD / unit).read_text(), re.MULTILINE)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All units, with a program that this machine has: `verify` wants to see it."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")
    folder = tmp_path_factory.mktemp("units")
    here = shutil.which("true") or "/bin/true"
    for unit in UNITS:
        programs = r"/opt/cuelens/bin/\w+|/usr/lib/cuelens/[\w-]+|/usr/bin/nmcli|/usr/sbin/nft"
        text = re.sub(programs, here, (SYSTEMD / unit).read_text())
        # Another unit of the operating system, which the machine of the test need not have.
        (folder / unit).write_text(text.replace("Requires=NetworkManager.service\n", ""))
    (folder / "cuelens.service.d").mkdir()
    shutil.copy(SYSTEMD / "reboot.conf", folder / "cuelens.service.d")
    return folder


def test_systemd_finds_nothing_to_complain_about(installed: Path) -> None:
    units = [str(installed / unit) for unit in UNITS]
    done = subprocess.run(["systemd-analyze", "verify", *units], capture_output=True, text=True, check=False)
    # Of cuelens.service, and known: see test_unit.py.
    complaints = [line for line in done.stderr.splitlines() if "'Restart" not in line]
    assert (done.returncode, complaints) == (0, [])


def analysed(installed: Path, unit: str) -> str:
    return subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(installed / unit)],
        capture_output=True,
        text=True,
        check=False,
    ).stdout


@pytest.mark.parametrize(("unit", "most"), EXPOSURE.items())
def test_the_exposure_is_small(installed: Path, unit: str, most: float) -> None:
    level = re.search(r"Overall exposure level for [\w.-]+: ([\d.]+)", analysed(installed, unit))
    assert level
    print(f"{unit}: {level[1]}")
    assert float(level[1]) <= most


def test_the_page_may_what_the_glasses_may_not_for_its_network_only(installed: Path) -> None:
    page, glasses = (
        set(re.findall(r"^✗ (\S+)", analysed(installed, unit), re.MULTILINE))
        for unit in ("cuelens-page.service", "cuelens.service")
    )
    assert page
    assert page - glasses <= OF_THE_NETWORK


@pytest.mark.parametrize(("unit", "name", "expected"), TABLE)
def test_an_option_has_the_value_that_holds_the_promise(unit: str, name: str, expected: list[str]) -> None:
    assert values(unit, name) == expected


@pytest.mark.parametrize("unit", [unit for unit in UNITS if unit.endswith(".service")])
def test_setting_the_clock_is_the_only_privileged_call_of_all(unit: str) -> None:
    calls = ["@system-service", "~@privileged @resources @keyring @aio"]
    assert values(unit, "SystemCallFilter") == calls + ["clock_settime"] * (unit == "cuelens-clock.service")


@pytest.mark.parametrize("unit", UNITS)
def test_no_unit_is_forgotten(unit: str) -> None:
    assert unit.endswith(".path") or unit in EXPOSURE
    assert f" {unit} " in (SYSTEMD / "install-units").read_text().replace("\n", " ").replace(";", " ")


def test_the_user_of_the_page_is_in_the_group_of_the_link_and_in_no_other() -> None:
    lines = [line.split() for line in (SYSTEMD / "cuelens.sysusers.conf").read_text().splitlines()]
    assert [line[2] for line in lines if line[:2] == ["m", "cuelens-page"]] == ["cuelens"]
    assert ["u", "cuelens-page"] in [line[:2] for line in lines]


def test_nothing_starts_page_or_network_at_boot() -> None:
    at_boot = [unit for unit in UNITS if values(unit, "WantedBy")]
    assert at_boot == [
        "cuelens-access-point-setup.service",
        "cuelens-card.service",
        "cuelens-clock.path",
        "cuelens-country.service",
        "cuelens-page.path",
        "cuelens.service",
    ]


def test_the_table_of_nft_parses() -> None:
    nft = shutil.which("nft") or shutil.which("nft", path="/usr/sbin")
    if nft is None:
        pytest.skip("nft is not installed")
    (start, _) = values("cuelens-access-point.service", "ExecStart")
    (_, rules) = shlex.split(start)
    done = subprocess.run([nft, "--check", rules], capture_output=True, text=True, check=False)
    if "Operation not permitted" in done.stderr or "Protocol not supported" in done.stderr:
        pytest.skip(f"this machine lets nobody try: {done.stderr.splitlines()[0]}")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(importlib.util.find_spec("cuelens.page") is None, reason="the page is not in this tree")
def test_the_unit_starts_the_page_as_a_person_starts_it() -> None:
    (start,) = values("cuelens-page.service", "ExecStart")
    (_, *rest) = shlex.split(start)
    done = subprocess.run([sys.executable, *rest, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


SANDBOX = (
    r"^(?:\w+(?:Deny|Allow|Policy|Users|Groups|Families|Privileges|Set|Filter)|(?:Protect|Private|Restrict)\w+)=.*$"
)
"""Lines of a unit that say what it may."""


def test_the_check_may_what_the_glasses_may() -> None:
    check, glasses = (
        re.findall(SANDBOX, (SYSTEMD / unit).read_text(), re.MULTILINE)
        for unit in ("cuelens-card-check.service", "cuelens.service")
    )
    assert check == glasses
    assert len(check) > 25


def test_a_check_that_hangs_is_killed_before_the_unit_that_waits_for_it() -> None:
    from cuelens.commands import card_parts

    (check,), (card,) = (
        values(unit, "TimeoutStartSec") for unit in ("cuelens-card-check.service", "cuelens-card.service")
    )
    assert int(check) < card_parts.DEADLINE_S < int(card)
    ours = f"%t/{card_parts.RUNTIME.name}"
    assert values("cuelens-card-check.service", "StandardOutput") == [f"truncate:{ours}/parts"]
    assert values("cuelens-card-check.service", "EnvironmentFile") == [f"-{ours}/request"]
    assert values("cuelens-card.service", "RuntimeDirectory") == [card_parts.RUNTIME.name]
    assert f"${{{card_parts.LANGUAGE}}}" in values("cuelens-card-check.service", "ExecStart")[0]


@pytest.mark.parametrize(
    "unit", ["cuelens-access-point-setup.service", "cuelens-card.service", "cuelens-card-check.service"]
)
def test_a_unit_starts_the_command_that_a_person_starts(unit: str) -> None:
    (start,) = values(unit, "ExecStart")
    (_, *rest) = shlex.split(start)
    done = subprocess.run([sys.executable, "-m", "cuelens", *rest, "--help"], capture_output=True, check=False)
    assert done.returncode == 0
