"""`cuelens calibrate`: begins the caregiver's calibration of running glasses: on a phone, or here in the terminal."""

import subprocess
import sys
from pathlib import Path
from typing import Final

from cuelens import settings
from cuelens.commands.press import ask_glasses
from cuelens.link import address
from cuelens.link.requests import Press
from cuelens_models import command

_PAGE: Final = "http://cuelens.local"
_PAGE_UNIT: Final = Path("/etc/systemd/system/cuelens-page.path")


def calibrate(config: Path | None, *, terminal: bool, port: int) -> int:
    """Begin a calibration. Returns the exit status, at its end.

    Where the page is a service, it is started as by the gesture of the button. Elsewhere it is served from here.

    Args:
        config: settings of the hardware (TOML).
        terminal: ask here in place of a page.
        port: of the page, on localhost.

    Raises AbsentDevice without glasses, BadInput if they refuse, MissingExtra if the page's packages are missing.
    """
    state = settings.read(config or settings.usual_path()).state_dir()
    paths = address.known(state)
    if terminal:
        from cuelens.commands.calibrate_terminal import walk

        return walk(paths)
    if _PAGE_UNIT.exists():
        print(ask_glasses(Press(gesture="calibrate"), config))
        print(f"Join the glasses' own network with the phone (see cuelens-wifi.txt on the card) and open {_PAGE}.")
        print("The glasses blink the code that the page asks for.")
        return 0
    command.need("web", "starlette", "uvicorn", "jinja2")
    links = [word for path in paths for word in ("--link", str(path))]
    page = [sys.executable, "-m", "cuelens.page", "--print-code", "--port", str(port), *links]
    # It ends with Ctrl-C, which reaches both, or by itself after ten idle minutes.
    with subprocess.Popen(page) as child:
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue
