"""Compressed recordings that lost their end: whether an Ogg or an MP3 is all there, by the lengths in the file itself.

Decoders do not tell: libsndfile plays half an MP3 as if it were whole, and finds no sound in an Ogg without its last
page.
"""

import struct
from typing import Final

_PAGE_HEAD: Final = 27
"""Bytes of a page of Ogg before its table of lengths (RFC 3533, section 6). The last of them is the table's length."""
_IS_FIRST, _IS_LAST = 0x02, 0x04
_KBITS: Final = {
    (1, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (1, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (2, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (2, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""Kilobits a second by version and layer of MPEG, from index 1 on (ISO 11172-3, 2.4.2.3, and ISO 13818-3)."""
_RATES: Final = {0b11: (44100, 48000, 32000), 0b10: (22050, 24000, 16000), 0b00: (11025, 12000, 8000)}
"""Samples a second by the bits of the version: 1, 2 and 2.5."""
_COUNTED: Final = (b"Xing", b"Info")
"""Names in a first frame that counts the frames behind it."""


def is_cut_short(content: bytes) -> bool:
    """Tell whether an Ogg or an MP3 lost its end.

    An MP3 that does not count its frames may end behind any of them.
    """
    return _is_cut_ogg(content) if content.startswith(b"OggS") else _is_cut_mp3(content)


def _is_cut_ogg(content: bytes) -> bool:
    """Whether a page is not whole, or the last one is not marked as the last of its stream."""
    start, is_last = 0, False
    while content.startswith(b"OggS", start):
        head = content[start : start + _PAGE_HEAD]
        if len(head) < _PAGE_HEAD:
            return True
        if start == 0 and not head[5] & _IS_FIRST:
            return False
        table = content[start + _PAGE_HEAD : start + _PAGE_HEAD + head[-1]]
        start += _PAGE_HEAD + head[-1] + sum(table)
        if start > len(content):
            return True
        is_last = bool(head[5] & _IS_LAST)
    return not is_last


def _is_cut_mp3(content: bytes) -> bool:
    """Whether the last frame is not whole, or frames are missing of those that are counted."""
    start, frames, counted = _tag_bytes(content), 0, 0
    if start >= len(content):
        return True
    while size := _frame_bytes(content[start : start + 4]):
        frame = content[start : start + size]
        if len(frame) < size:
            return True
        counted = counted if frames else _counted(frame)
        start, frames = start + size, frames + 1
    # Some encoders count the first frame too.
    return frames < counted


def _tag_bytes(content: bytes) -> int:
    """Return the length of an ID3v2 tag at the beginning: seven bits of each byte count (https://id3.org)."""
    if not content.startswith(b"ID3") or len(content) < 10:
        return 0
    size = 0
    for byte in content[6:10]:
        size = size << 7 | byte & 0x7F
    return 10 + size + (10 if content[5] & 0x10 else 0)


def _frame_bytes(head: bytes) -> int:
    """Return the length of a frame of MPEG audio; 0 if they begin none, one of layer 1 or without a stated rate."""
    if len(head) < 4 or head[0] != 0xFF or head[1] < 0xE0:
        return 0
    version_bits, layer = head[1] >> 3 & 0b11, 4 - (head[1] >> 1 & 0b11)
    kbits_index, rate_index, padding = head[2] >> 4, head[2] >> 2 & 0b11, head[2] >> 1 & 1
    version = 1 if version_bits == 0b11 else 2
    if version_bits not in _RATES or (version, layer) not in _KBITS or rate_index > 2 or not 0 < kbits_index < 15:
        return 0
    bits, rate = 1000 * _KBITS[version, layer][kbits_index - 1], _RATES[version_bits][rate_index]
    return (72 if (version, layer) == (2, 3) else 144) * bits // rate + padding


def _counted(frame: bytes) -> int:
    """Return how many frames follow a first one, as it says; 0 if it says nothing."""
    place = max(frame.find(name) for name in _COUNTED)
    if place < 0 or len(frame) < place + 12:
        return 0
    flags, frames = struct.unpack(">II", frame[place + 4 : place + 12])
    return int(frames) if flags & 1 else 0
