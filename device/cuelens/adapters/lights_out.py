"""Turns off every lamp after the daemon ended, by a crash too: `ExecStopPost` of the systemd unit.

After a failure the wearer's light breathes amber once. systemd tells of it in EXIT_CODE and EXIT_STATUS
(systemd.exec(5)). A daemon that hung was killed: it starts anew without that delay.

python -m cuelens.adapters.lights_out
"""

import os
import time
from contextlib import ExitStack, closing

import msgspec

from cuelens import config_file, settings
from cuelens.adapters import gpio
from cuelens.light.patterns import BREATH_S
from cuelens.settings import Pins, Settings
from cuelens_models import command
from cuelens_models.errors import BadInput


class _PinsOnly(msgspec.Struct, frozen=True):
    """The settings, as far as they matter here."""

    pins: Pins = Pins()


def main() -> None:
    """Turn off the wearer's light and the capture light, and release their pins."""
    command.finish("lights_out", _put_out, debug=False)


def _put_out() -> int:
    failed = os.environ.get("EXIT_CODE") == "exited" and os.environ.get("EXIT_STATUS") != "0"
    with closing(gpio.Gpio(_pins())) as board, ExitStack() as steps:
        # The last one first. Each is tried, whatever became of the others.
        steps.callback(board.put_out)
        if failed:
            steps.callback(_breathe, board)
            steps.callback(board.put_out)
    return 0


def _pins() -> Pins:
    """Return the pins of the settings. Where these are damaged: the pins last in use, else their section alone."""
    path = settings.usual_path()
    try:
        return settings.read(path).pins
    except BadInput as error:
        if pins := gpio.remembered():
            return pins
        try:
            return config_file.read_toml(path, _PinsOnly).pins if path else Pins()
        except BadInput:
            raise error from None


def _breathe(board: gpio.Gpio) -> None:
    """Show the amber breath of a fault once, no brighter than the wearer's profile allows."""
    # Imported here: the lamps do not wait for it.
    from cuelens.light.brightness import target_percent
    from cuelens.light.cue_lights import TROUBLE, light_pattern
    from cuelens.profile import store

    profile = store.active(Settings().state_dir()).profile
    light = board.light()
    light.show(light_pattern(TROUBLE, target_percent(profile.light, None, None)))
    time.sleep(BREATH_S)
    light.close()


if __name__ == "__main__":
    main()
