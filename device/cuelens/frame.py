"""One frame of a camera or a file. It needs numpy, which `cuelens.types` does not."""

import msgspec

from cuelens_models.bundle.pixels import Grey

__all__ = ["Frame", "Grey"]


class Frame(msgspec.Struct, frozen=True):
    """One grey image with the time of its exposure.

    Attributes:
        grey: uint8 (height, width), luminance 0-255; it does not change while it is referenced.
        t: seconds on the source's own clock.
        exposed_ns: the same instant on `time.monotonic_ns` (files: the hand-over).
        lux: ambient light as the camera estimates it; None if it does not.
    """

    grey: Grey
    t: float
    exposed_ns: int
    lux: float | None = None
