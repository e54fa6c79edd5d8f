"""One frame of a camera or a file. Apart from the other types, because it needs numpy."""

from dataclasses import dataclass

from cuelens_models.bundle.pixels import Grey

__all__ = ["Frame", "Grey"]


@dataclass(frozen=True, slots=True)
class Frame:
    """One grey image with the time of its exposure.

    grey: uint8 (height, width), luminance 0-255; it does not change while it is held. t: seconds on the source's own
    clock. exposed_ns: the same instant on `time.monotonic_ns` (for files: when it was handed over). lux: how bright it
    is around, as the camera judges; None if it does not tell.
    """

    grey: Grey
    t: float
    exposed_ns: int
    lux: float | None = None
