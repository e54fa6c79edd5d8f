"""The modes: what the glasses do with what they see. One file each; a file that holds a `MODE` is a mode."""

import pkgutil
from functools import cache
from importlib import import_module

from cuelens.cues.modes.mode import Mode
from cuelens_models.errors import BadInput


@cache
def modes() -> dict[str, Mode]:
    """Return all modes by name, in the order of their names."""
    found = (import_module(f"{__name__}.{file.name}") for file in pkgutil.iter_modules(__path__))
    return {module.MODE.name: module.MODE for module in found if hasattr(module, "MODE")}


def mode(name: str) -> Mode:
    """Return one mode. Raises BadInput for a name that is none."""
    if name not in modes():
        raise BadInput(f"mode is {name!r}: expected one of {', '.join(modes())}")
    return modes()[name]
