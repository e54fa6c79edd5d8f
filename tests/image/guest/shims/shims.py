"""What picamera2 misses in an emulator. It is on the tests' disk, and nowhere in the image.

Each patch waits for the import of the module that it is for, so that nothing is imported that would not be.
"""

import importlib.abc
import importlib.machinery
import sys
import types
from collections.abc import Callable, Sequence


def _virtual_camera(module: types.ModuleType) -> None:
    """The virtual camera has no raw stream; its frames lie in memory of libcamera, for want of a dma_heap."""
    from picamera2.allocators import LibcameraAllocator

    camera = module.Picamera2

    def allocator() -> LibcameraAllocator | None:
        # It is asked for as soon as a camera is open, and once more when it is closed.
        opened = list(camera._cm.cameras.values())
        return LibcameraAllocator(opened[-1].camera) if opened else None

    camera._get_raw_modes = lambda camera: [{"format": "SRGGB10_CSI2P", "size": (640, 480)}]
    module.DmaAllocator = allocator


_PATCHES: dict[str, Callable[[types.ModuleType], None]] = {
    "picamera2.picamera2": _virtual_camera,
}


class _After(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Lets a module load as it does, and patches it."""

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> object:
        if name not in _PATCHES:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            self._loader = spec.loader
            spec.loader = self
        return spec

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: types.ModuleType) -> None:
        self._loader.exec_module(module)
        _PATCHES[module.__name__](module)


sys.meta_path.insert(0, _After())


class _Anything(types.ModuleType):
    """A module that has every name: it is imported and not used."""

    def __getattr__(self, name: str) -> object:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Anything(name)


# Screens and raw pictures, which the glasses do without, belong to the import of picamera2.
for _name in ("kms", "pidng", "pidng.camdefs", "pidng.core", "pidng.defs"):
    sys.modules[_name] = _Anything(_name)
