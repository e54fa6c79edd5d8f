"""What is left of a list of packages when some of them, and what only they ask for, are left out."""

import re
from collections.abc import Collection, Iterable

from image.bill import stanzas


def needed(asked: Iterable[str], described: str, without: Collection[str]) -> set[str]:
    """Return the names of the packages that are reached from those that are asked for.

    Args:
        asked: names to begin with.
        described: stanzas of all packages, as `apt-cache show` prints them.
        without: names that are left out, whoever asks for them.
    """
    depends: dict[str, set[str]] = {}
    providers: dict[str, set[str]] = {}
    for fields in stanzas(described):
        name = fields["Package"]
        depends[name] = _names(f"{fields.get('Pre-Depends', '')},{fields.get('Depends', '')}")
        for provided in {name} | _names(fields.get("Provides", "")):
            providers.setdefault(provided, set()).add(name)
    found: set[str] = set()
    waiting = set(asked)
    while waiting:
        for name in providers.get(waiting.pop(), set()) - found - set(without):
            found.add(name)
            waiting |= depends[name]
    return found


def _names(relations: str) -> set[str]:
    """Return the names in a field such as `libc6 (>= 2.34), default-mta | mail-transport-agent, python3:any`."""
    words = (re.match(r"\s*([a-z0-9][a-z0-9+.-]*)", one) for one in re.split("[,|]", relations))
    return {word[1] for word in words if word}
