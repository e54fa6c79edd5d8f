"""Every error that cuelens raises on purpose, and the exit status of a command that ends with it.

    CuelensError
    ├── BadInput       (ValueError)    3  a file or a value that cannot be used
    │   ├── BadBundle                     a model file that the glasses refuse
    │   │   └── GoldenMismatch         1  a model that answers differently here than where it was made
    │   └── EmptyCrop                     a box too small to hold a face
    ├── MissingExtra   (ImportError)   3  a package that this job needs is not installed
    ├── AbsentDevice   (OSError)       3  a camera, a pin or a sound card that is not there
    ├── Unwritable     (OSError)       3  a place that cannot be written to
    ├── Refused        (RuntimeError)  4  the work was done and its result failed a gate
    └── CameraLost     (OSError)      70  the camera stopped giving frames and could not be reopened

A message is one sentence that says what, where, and what to do about it.
"""

from typing import ClassVar


class CuelensError(Exception):
    """The root of all errors. By itself it means a fault inside cuelens."""

    exit_status: ClassVar[int] = 70


class BadInput(CuelensError, ValueError):
    """A file or a value that cannot be used."""

    exit_status = 3


class BadBundle(BadInput):
    """A model file that the glasses refuse to load."""


class NoAnswer(BadBundle):
    """A model that fails on one picture."""


class GoldenMismatch(BadBundle):
    """A model that answers differently here than where it was made."""

    exit_status = 1


class EmptyCrop(BadInput):
    """A box too small to hold a face."""


class MissingExtra(CuelensError, ImportError):
    """A package that this job needs is not installed."""

    exit_status = 3


class AbsentDevice(CuelensError, OSError):
    """A camera, a pin or a sound card that is not there."""

    exit_status = 3


class Unwritable(CuelensError, OSError):
    """A place that cannot be written to."""

    exit_status = 3


class Refused(CuelensError, RuntimeError):
    """The work was done, and its result failed a gate."""

    exit_status = 4


class CameraLost(CuelensError, OSError):
    """The camera stopped giving frames and could not be reopened."""
