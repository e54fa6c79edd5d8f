"""A reader under test, and what its inputs look like."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cuelens_models.errors import CuelensError


@dataclass(frozen=True, slots=True)
class Target:
    """A reader under test.

    Attributes:
        name: for the command line.
        read: takes an input and a folder for its files. Every error but those of `allowed` is a finding.
        seeds: makes valid inputs, and some that are nearly so.
        words: pieces that a mutation may put in, such as keys.
        most_bytes: length of the longest input.
        allowed: errors that the reader may raise.
    """

    name: str
    read: Callable[[bytes, Path], None]
    seeds: Callable[[], Sequence[bytes]]
    words: tuple[str, ...] = ()
    most_bytes: int = 16_384
    allowed: tuple[type[BaseException], ...] = (CuelensError,)
