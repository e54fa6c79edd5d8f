"""`cuelens press`: presses the button of running glasses without hardware."""

from pathlib import Path

from cuelens import settings
from cuelens.link import address, client
from cuelens.link.requests import Gesture, Press, Request


def press(gesture: Gesture, config: Path | None) -> int:
    """Do a gesture, and print what it did. Returns 0. Raises BadInput if it is refused, AbsentDevice without glasses.

    config: settings of the hardware (TOML).
    """
    print(ask_glasses(Press(gesture=gesture), config))
    return 0


def ask_glasses(request: Request, config: Path | None) -> str:
    """Ask the running glasses for something; return their sentence. Errors as of `press`.

    config: settings of the hardware, whose state folder may hold the socket.
    """
    state = settings.read(config or settings.usual_path()).state_dir()
    return client.ask(request, address.known(state))
