"""What all messages of the link share. Each is one line of JSON."""

from typing import Final

from cuelens_models.strict_struct import StrictStruct

VERSION: Final = 1
"""Version of the protocol. Both sides must speak the same. A new kind of message does not change it."""


class Message(StrictStruct, frozen=True, kw_only=True, tag_field="message"):
    """The base class of messages."""

    version: int = VERSION
