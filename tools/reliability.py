"""docs/reliability.md: what came of every fault that the tests of tests/device/faults injected.

`make reliability` runs them and writes the page. It writes nothing if one of them fails or is skipped.
"""

import ast
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

from cuelens.health import board

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "reliability.md"
DESIGN: Final = ROOT / "docs" / "design.md"
FAULTS: Final = ROOT / "tests" / "device" / "faults"
ELSEWHERE: Final = {
    "settings of a reload wrong, or no run could begin with them": "device/commands/test_restart.py",
    "two starts fail after a change": "device/commands/test_first_minute.py",
    "the glasses are given up (status 69)": "systemd/test_real_systemd.py",
    "eight starts in five minutes come to nothing (only with `REBOOT=1`)": "systemd/test_real_systemd.py",
    "the kernel hangs (only with `REBOOT=1`)": "systemd/test_page_units.py",
}
"""Faults of the design whose tests need systemd or hardware, and tell no row; with the file in tests/."""
_MANY: Final = 10
"""From so many values on, the 95th percentile is told too."""
_HEAD: Final = (
    "fault",
    "injected",
    "what the wearer notices",
    "what happens",
    "seconds",
    "left on disk",
    "survived",
    "test",
)

_ENDURANCE: Final = (
    "## Many days at once",
    "",
    "`python -m benchmarks.soak --minutes 22 --json docs/results/memory.json` lets glasses live through what a",
    "household does in a day or two, every minute: visits to the page, presses, faults of every kind. In between they",
    "are measured at rest. Judged is what is in no file, for it can run out; the kernel takes pages of files back.",
    "`make plots` draws memory over that life. Nobody has worn them for so many days.",
    "",
    "![resident memory over a soak, and what of it is in no file](memory.svg)",
)


def table(page: str, heading: str = "| fault |") -> list[list[str]]:
    """Return the rows of the table of faults in a page, as texts of their cells."""
    lines = page[page.index(heading) :].partition("\n\n")[0].splitlines()
    return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines[2:]]


def tests() -> set[str]:
    """Return the tests of faults, as FILE::NAME."""
    return {
        f"{file.name}::{node.name}"
        for file in FAULTS.glob("test_*.py")
        for node in ast.parse(file.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def elsewhere() -> dict[str, str]:
    """Return the faults of the design whose tests tell no row, with the file in tests/."""
    promised = {row[0] for row in table(DESIGN.read_text("utf-8"))}
    return {fault: file for fault, file in ELSEWHERE.items() if fault in promised}


def run() -> list[dict[str, Any]]:
    """Run the tests. Returns the rows that they told. Ends the process if a test fails or is skipped."""
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "pytest", "-q", "-n", "2", str(FAULTS)]
        if subprocess.run(words, env=os.environ | {"CUELENS_FAULT_TABLE": folder}, check=False).returncode:
            sys.exit("a fault was not survived: nothing is written")
        rows = [row for file in sorted(Path(folder).iterdir()) for row in json.loads(file.read_text())]
    if missing := tests() - {row["test"] for row in rows}:
        sys.exit(f"these tests were skipped, so nothing is written: {', '.join(sorted(missing))}")
    return rows


def _times(seconds: dict[str, list[float]]) -> str:
    """Return what was measured, as a cell."""
    texts = []
    for what, values in seconds.items():
        text = f"{what}: {statistics.median(values):.1f}"
        if len(values) > 1:
            text += f", at most {max(values):.1f}"
        if len(values) >= _MANY:
            text += f", p95 of {len(values)}: {sorted(values)[round(0.95 * (len(values) - 1))]:.1f}"
        texts.append(text)
    return "; ".join(texts)


def as_text(rows: list[dict[str, Any]]) -> str:
    """Return the page: the rows in the order of the design's table."""
    order = [row[0] for row in table(DESIGN.read_text("utf-8"))]
    if strange := {row["fault"] for row in rows} - set(order):
        sys.exit(f"these faults are not in docs/design.md, section 8: {', '.join(sorted(strange))}")
    rows = sorted(rows, key=lambda row: (order.index(row["fault"]), row["test"], row["injected"]))
    machine = f"{board.model_name()}, {os.cpu_count()} cores, Linux {platform.release()}, {platform.python_version()}"
    lines = [
        "# What came of every fault",
        "",
        "`make reliability` wrote this page. It injects each fault of [the design](design.md), section 8, into",
        "running glasses: the real process with its threads, files, sockets and children. Only hardware is faked. Each",
        "fault is injected at least twice, in one run or in two, with the recovery from it. The lights and sounds that",
        "a row names were recorded, and asserted. One fault that is not survived, and the page is not written.",
        "",
        f"Times are medians in seconds on this machine: {machine}.",
        "It is no Raspberry Pi, where a start takes longer. Other work ran on it at the same time. systemd's second",
        "before a restart is counted in. What a real camera needs to open is not.",
        "",
        f"| {' | '.join(_HEAD)} |",
        f"|{'---|' * len(_HEAD)}",
    ]
    for row in rows:
        cells = (
            *(row[key] for key in ("fault", "injected", "noticed", "happens")),
            _times(row["seconds"]),
            row["left"],
            f"{row['survived']} of {row['survived']}",
            f"`{row['test']}`",
        )
        lines.append(f"| {' | '.join(cells)} |")
    if others := elsewhere():
        lines += ["", "Other tests are about these, and tell no row:", ""]
        lines += [f"- {fault}: `tests/{file}`" for fault, file in others.items()]
    return "\n".join((*lines, "", *_ENDURANCE)) + "\n"


if __name__ == "__main__":
    PAGE.write_text(as_text(run()), "utf-8")
    print(PAGE)
