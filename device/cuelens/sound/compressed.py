"""FLAC, Ogg and MP3 through soundfile (libsndfile), which comes with the extra `pi`. The only file that imports it."""

import io
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from cuelens.sound.cut_short import is_cut_short
from cuelens.sound.limits import LONGEST_S, MOST_DECODED_S, check_form
from cuelens_models.command import require
from cuelens_models.errors import BadInput

_ONE_AT_A_TIME: Final = threading.Lock()


class Undecodable(BadInput):
    """A file that is damaged, or of a kind that libsndfile does not know."""


class CutShort(BadInput):
    """A file that lost its end."""


def decode(content: bytes) -> tuple[NDArray[np.float64], int]:
    """Return the mono samples of a file, -1 to 1, and their rate in samples a second.

    Raises MissingExtra without soundfile, CutShort if the end of the file is missing, Undecodable if it fails, BadInput
    if the file is over the limits.
    """
    try:
        import soundfile
    except (ImportError, OSError) as error:
        # It raises OSError where it came without libsndfile.
        raise require("soundfile", "pi") from error
    # libsndfile itself refuses a FLAC that was cut.
    if not content.startswith(b"fLaC") and is_cut_short(content):
        raise CutShort("was cut short")
    with _hushed():
        try:
            with soundfile.SoundFile(io.BytesIO(content)) as file:
                check_form(file.channels, file.samplerate)
                most = round(MOST_DECODED_S * file.samplerate)
                # The head of an MP3 only estimates its length.
                sound: NDArray[np.float64] = file.read(most + 1, dtype="float64", always_2d=True)
                if len(sound) > most:
                    raise BadInput(f"lasts over {MOST_DECODED_S:.0f} s: expected {LONGEST_S:.0f} s at most")
                return sound.mean(axis=1), file.samplerate
        except soundfile.SoundFileError as error:
            raise Undecodable("cannot be decoded") from error


@contextmanager
def _hushed() -> Iterator[None]:
    """Hide what libsndfile's MP3 decoder says about damaged files: it writes to the standard error of the process."""
    with _ONE_AT_A_TIME:
        try:
            original = os.dup(2)
        except OSError:
            # This process has no standard error.
            yield
            return
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(original, 2)
            os.close(original)
