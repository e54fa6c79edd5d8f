"""The scripts of tools/, as modules that a test calls."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

_TOOLS: Final = Path(__file__).resolve().parents[1] / "tools"


def load(name: str) -> ModuleType:
    """Return a script of tools/ as a module, which other scripts can import by its name from then on."""
    spec = importlib.util.spec_from_file_location(name, _TOOLS / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up while it is loaded.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
