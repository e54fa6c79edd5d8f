"""The struct that every file of ours decodes into."""

import msgspec


class StrictStruct(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A frozen struct that refuses keys it does not know, so that a misspelt key is told and not ignored."""
