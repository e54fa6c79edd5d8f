"""The JSON Schema of a profile, for editors that check and complete it: what `make schema` writes."""

from pathlib import Path
from typing import Any, Final

import msgspec
from docstrings import parts

from cuelens.profile.profile import Profile

SCHEMA: Final = Path(__file__).resolve().parents[1] / "docs" / "profile.schema.json"


def schema() -> dict[str, Any]:
    """Return the schema. Descriptions come from the docstrings of the structs."""
    made = msgspec.json.schema(Profile)
    for struct in made["$defs"].values():
        struct["description"], told = parts(struct.get("description"))
        for name, words in told.items():
            struct["properties"][name]["description"] = words
    # The reader merges a light into the factory's, which has a colour.
    del made["$defs"]["LightCue"]["required"]
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


def as_text() -> str:
    """Return the schema as the file holds it."""
    return msgspec.json.format(msgspec.json.encode(schema()), indent=2).decode() + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(as_text(), "utf-8")
    print(SCHEMA)
