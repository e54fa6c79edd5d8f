"""What putting the lamps out costs after the daemon has ended: the shell's processor time against a start of Python.

    python benchmarks/lights_out.py [--rounds 20]

The shell is systemd/lights-out with this machine's gpioset (`apt install gpiod`). Without a GPIO chip, gpioset starts
once more than on a board, since one lamp is tried again by itself. "python" is an interpreter that does nothing;
"gpiozero" is one that takes the same pins dark through the adapter of the glasses, on mock pins. Figures are medians of
whole processes with their children; they run in turn.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

LIGHTS_OUT = Path(__file__).resolve().parents[1] / "systemd" / "lights-out"
DARK = """
from contextlib import closing
from cuelens.adapters.gpio import Gpio
from cuelens.settings import Pins
with closing(Gpio(Pins(factory="mock"))) as board:
    board.light().close()
    board.capture().close()
"""


def processor_ms(command: list[str], state: str) -> float:
    """Return the processor time of a process and of its children, in milliseconds."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=os.environ | {"STATE_DIRECTORY": state}, capture_output=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=20)
    rounds = parser.parse_args().rounds
    if shutil.which("gpioset") is None:
        sys.exit("gpioset is not installed: run `sudo apt install gpiod`")
    commands = {
        "lights-out": [str(LIGHTS_OUT)],
        "python": [sys.executable, "-c", "pass"],
        "gpiozero": [sys.executable, "-c", DARK],
    }
    with tempfile.TemporaryDirectory() as state:
        # A chip that no machine has: nothing of a maker's own is driven.
        (Path(state) / "lamps").write_text("chip 999\n17 0 0\n")
        measured = [[processor_ms(command, state) for command in commands.values()] for _ in range(rounds)]
    median_ms = dict(zip(commands, map(statistics.median, zip(*measured, strict=True)), strict=True))
    print(f"processor time, median of {rounds}:")
    for name, ms in median_ms.items():
        print(f"  {name:<11}{ms:7.1f} ms   {ms / median_ms['lights-out']:5.1f} x")


if __name__ == "__main__":
    main()
