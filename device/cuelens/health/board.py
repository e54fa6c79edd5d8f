"""The kernel's readings of the board and of this process. A missing reading is None, never a healthy value."""

import os
from pathlib import Path

ROOT = Path("/")


def temperature_c(root: Path = ROOT) -> float | None:
    """Return the processor's temperature in degrees Celsius, from sysfs under `root`, None without a sensor."""
    try:
        return int(_told(f"{root}/sys/class/thermal/thermal_zone0/temp")) / 1000
    except (OSError, ValueError):
        return None


def under_voltage(root: Path = ROOT) -> bool | None:
    """Whether a Raspberry Pi's supply voltage is too low now, by the kernel's `rpi_volt`. None without it."""
    try:
        with os.scandir(f"{root}/sys/class/hwmon") as sensors:
            places = [sensor.path for sensor in sensors]
    except OSError:
        return None
    for place in places:
        try:
            if _told(f"{place}/name").strip() == "rpi_volt":
                return _told(f"{place}/in0_lcrit_alarm").strip() == "1"
        except OSError:
            continue
    return None


def memory_controller(root: Path = ROOT) -> bool | None:
    """Whether the kernel can hold a service to its memory, by its list of controllers. None without control groups.

    Raspberry Pi OS boots some boards with it off (cgroup_disable=memory).
    """
    try:
        return "memory" in (root / "sys/fs/cgroup/cgroup.controllers").read_text().split()
    except OSError:
        pass
    try:
        # The first version of control groups: name, hierarchy, number of groups, enabled.
        rows = [line.split() for line in (root / "proc/cgroups").read_text().splitlines()]
    except OSError:
        return None
    return any(row[0] == "memory" and row[-1] == "1" for row in rows if row)


def clock_set(root: Path = ROOT) -> bool:
    """Whether systemd-timesyncd has set the clock by a network since the start."""
    return os.access(f"{root}/run/systemd/timesync/synchronized", os.F_OK)


def boot_id(root: Path = ROOT) -> str:
    """Return the kernel's name for the time since it was started; "" if it has none."""
    try:
        return (root / "proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def model_name(root: Path = ROOT) -> str | None:
    """Return the board's name from the device tree, else the processor's from /proc/cpuinfo, else None."""
    try:
        return (root / "proc/device-tree/model").read_text().strip("\0\n ")
    except OSError:
        pass
    try:
        lines = (root / "proc/cpuinfo").read_text().splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), None)


def i2s_is_on(root: Path = ROOT) -> bool:
    """Whether the device tree has the pins of I2S given to a sound card, as the overlay of an amplifier does."""
    for status in (root / "proc/device-tree").glob("**/i2s@*/status"):
        try:
            if status.read_text().strip("\0\n ") in ("okay", "ok"):
                return True
        except OSError:
            continue
    return False


def is_raspberry_pi(root: Path = ROOT) -> bool:
    """Whether the device tree names a Raspberry Pi. GPIO chips are no proof: a laptop may have some too."""
    try:
        return "Raspberry Pi" in (root / "proc/device-tree/model").read_text()
    except OSError:
        return False


def resident_mb(pid: int | None = None, root: Path = ROOT) -> tuple[float, float]:
    """Return the resident memory in MB, current and peak, of this process or of `pid`."""
    status = (root / "proc" / str(pid or os.getpid()) / "status").read_text()
    values = dict(line.split(":", 1) for line in status.splitlines())
    return int(values["VmRSS"].split()[0]) / 1024, int(values["VmHWM"].split()[0]) / 1024


def _told(place: str) -> str:
    """Return the text of a file that is read every few seconds. Raises OSError.

    pathlib enters each name of a new path into the interpreter's table of strings. What was in it still takes room, so
    after some hours that table would be made anew, with twice the size: 1 MB more.
    """
    with open(place, encoding="utf-8") as file:  # noqa: PTH123 - no Path, as above
        return file.read()
