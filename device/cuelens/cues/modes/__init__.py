"""The modes: each decides when to ask for a cue. A file here that defines `MODE` is a mode."""

import pkgutil
from functools import cache
from importlib import import_module

from cuelens.cues.modes.mode import Mode
from cuelens_models.errors import BadInput


@cache
def modes() -> dict[str, Mode]:
    """Return all modes, sorted by name."""
    modules = (import_module(f"{__name__}.{file.name}") for file in pkgutil.iter_modules(__path__))
    return {module.MODE.name: module.MODE for module in modules if hasattr(module, "MODE")}


def mode(name: str) -> Mode:
    """Return a mode by its name. Raises BadInput if there is none of that name."""
    if name not in modes():
        raise BadInput(f"mode is {name!r}: expected one of {', '.join(modes())}")
    return modes()[name]
