"""Puts every lamp out after the daemon is gone, however it went: `ExecStopPost` of the unit.

python -m cuelens.adapters.lights_out
"""

from contextlib import closing

from cuelens import settings
from cuelens.adapters.gpio import Gpio
from cuelens_models import command


def main() -> None:
    """Claim the pins of the wearer's light and of the capture light, drive them dark, and let them go."""
    command.finish("lights_out", _put_out, debug=False)


def _put_out() -> int:
    with closing(Gpio(settings.read(settings.usual_path()).pins)) as gpio:
        gpio.put_out()
    return 0


if __name__ == "__main__":
    main()
