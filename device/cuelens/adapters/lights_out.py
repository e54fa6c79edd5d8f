"""Turns off every lamp after the daemon ended, by a crash too: `ExecStopPost` of the systemd unit.

python -m cuelens.adapters.lights_out
"""

from contextlib import closing

from cuelens import settings
from cuelens.adapters.gpio import Gpio
from cuelens_models import command


def main() -> None:
    """Turn off the wearer's light and the capture light, and release their pins."""
    command.finish("lights_out", _put_out, debug=False)


def _put_out() -> int:
    with closing(Gpio(settings.read(settings.usual_path()).pins)) as gpio:
        gpio.put_out()
    return 0


if __name__ == "__main__":
    main()
