"""Truncated files: whether a picture or a video has lost its end, by the length or end marker in the file itself.

Decoders do not report it: OpenCV fills the missing part of a photograph with grey, and plays half a video as if it were
whole. A file that states no length is never called cut short.
"""

import os
from typing import BinaryIO, Final

_END_OF_IMAGE: Final = 0xD9
_NO_LENGTH: Final = {0x01, *range(0xD0, 0xD8)}
"""JPEG markers without a length field: TEM and the restart markers."""
_UNKNOWN: Final = {0, 0xFFFFFFFF}
"""Length fields of a RIFF file whose writer could not seek back to fill the length in."""
_MOVIE_BOXES: Final = {
    *(b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"),
    *(b"moof", b"mfra", b"udta", b"meta", b"uuid", b"sidx", b"styp", b"emsg", b"pdin"),
}
_EBML: Final = b"\x1a\x45\xdf\xa3"
_SEGMENT: Final = b"\x18\x53\x80\x67"


def is_cut_short(file: BinaryIO) -> bool:
    """Whether an open file is truncated. Its position is at its end afterwards."""
    head = file.read(12)
    length = file.seek(0, os.SEEK_END)
    try:
        if head.startswith(b"\xff\xd8"):
            file.seek(0)
            return not _jpeg_has_end(file.read())
        if head.startswith(b"\x89PNG"):
            file.seek(0)
            return b"IEND" not in file.read()
        if head.startswith(b"RIFF"):
            size = int.from_bytes(head[4:8], "little")
            return size not in _UNKNOWN and size + 8 > length
        if head[4:8] in _MOVIE_BOXES:
            return _boxes_end(file, length) > length
        if head.startswith(_EBML):
            return _segment_end(file, length) > length
        return False
    finally:
        file.seek(0, os.SEEK_END)


def _jpeg_has_end(data: bytes) -> bool:
    """Walk the segments of a JPEG (ITU-T T.81, annex B) to its end marker. A thumbnail's end marker does not count.

    Fill bytes, and stray bytes between segments, are skipped, as decoders do.
    """
    place = 2
    while 0 <= (place := data.find(b"\xff", place)) < len(data) - 1:
        marker = data[place + 1]
        if marker == _END_OF_IMAGE:
            return True
        if marker in (0x00, 0xFF):
            # A stuffed zero after a coded FF, or a fill byte.
            place += 1 if marker else 2
        elif marker in _NO_LENGTH:
            place += 2
        else:
            # A segment. After a start of scan, the search for FF runs through the coded data.
            place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return False


def _boxes_end(file: BinaryIO, length: int) -> int:
    """Return the stated end of the last top-level box of an MP4 or MOV (ISO/IEC 14496-12).

    Bytes after the boxes (some cameras append a trailer) are ignored.
    """
    place = 0
    while place < length:
        file.seek(place)
        header = file.read(16)
        size = int.from_bytes(header[:4], "big")
        if header[4:8] not in _MOVIE_BOXES or size == 0:
            return length
        if size == 1:
            size = int.from_bytes(header[8:16], "big")
        place += max(size, 8)
    return place


def _segment_end(file: BinaryIO, length: int) -> int:
    """Return the stated end of the segment of a Matroska or WebM file (RFC 8794). A live stream states none."""
    file.seek(4)
    header_size, _ = _number(file)
    file.seek(header_size, os.SEEK_CUR)
    if file.read(4) != _SEGMENT:
        return length
    size, has_size = _number(file)
    return file.tell() + size if has_size else length


def _number(file: BinaryIO) -> tuple[int, bool]:
    """Return a variable-length number, and whether it is known: all bits set mean unknown."""
    first = file.read(1)
    if not first or first[0] == 0:
        return 0, False
    width = 9 - first[0].bit_length()
    value = int.from_bytes(bytes([first[0] & (0xFF >> width)]) + file.read(width - 1), "big")
    return value, value != (1 << 7 * width) - 1
