"""`cuelens` as it is, with a button: without a board the pins are mocked, and a mocked button is left out."""

import sys
from typing import Any

from cuelens import cli
from cuelens.adapters.fakes import MemoryButton
from cuelens.commands import run

_fit = run.fit


def _with_button(*arguments: Any, **options: Any) -> Any:
    hardware = _fit(*arguments, **options)
    hardware.button = MemoryButton()
    return hardware


if __name__ == "__main__":
    run.fit = _with_button
    sys.exit(cli.main())
