"""What a caregiver's recording may be, whatever its format."""

from typing import Final

from cuelens_models.errors import BadInput

LONGEST_S: Final = 3.0
"""After trimming: a phrase has two words."""
MOST_DECODED_S: Final = 40.0
"""Before trimming. At the lowest data rate a file of 16 MB holds hours, and they would fill a small board's memory."""
_RATES: Final = (8000, 48000)


def check_form(channels: int, rate: int) -> None:
    """Raise BadInput unless a sound is mono or stereo, with 8000 to 48000 samples a second."""
    if channels not in (1, 2):
        raise BadInput(f"has {channels} channels: expected mono or stereo")
    if not _RATES[0] <= rate <= _RATES[1]:
        raise BadInput(f"has {rate} samples a second: expected {_RATES[0]} to {_RATES[1]}")


def check_length(seconds: float, most_s: float) -> None:
    """Raise BadInput if a sound is longer than `most_s`."""
    if seconds > most_s:
        raise BadInput(f"lasts {seconds:.1f} s: expected {LONGEST_S:.0f} s at most")
