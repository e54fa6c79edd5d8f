"""Puts the light out after the daemon is gone, however it went: `ExecStopPost` of the unit.

python -m cuelens.adapters.lights_out
"""

from cuelens import settings
from cuelens.adapters.gpio import GpioLight


def main() -> None:
    """Claim the pins of the settings, drive them dark, and let them go."""
    GpioLight(settings.read(None).pins).close()


if __name__ == "__main__":
    main()
