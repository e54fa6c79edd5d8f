"""Puts the light out after the daemon is gone, however it went: `ExecStopPost` of the unit.

python -m cuelens.adapters.lights_out
"""

from cuelens import settings
from cuelens.adapters.gpio import GpioLight
from cuelens_models import command


def main() -> None:
    """Claim the pins of the settings, drive them dark, and let them go."""
    command.finish("lights_out", _put_out, debug=False)


def _put_out() -> int:
    GpioLight(settings.read(settings.usual_path()).pins).close()
    return 0


if __name__ == "__main__":
    main()
