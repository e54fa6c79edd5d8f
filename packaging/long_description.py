"""The package's long description: README.md without links to files, which an index of packages does not have.

hatchling loads this file when it makes the metadata of a wheel or an sdist ([tool.hatch.metadata.hooks.custom]).
"""

import re
from pathlib import Path
from typing import Any, Final

from hatchling.metadata.plugin.interface import MetadataHookInterface

_PICTURE: Final = re.compile(r"!\[[^\]]*\]\((?!https?:)[^)]*\)\n*")
_LINK: Final = re.compile(r"\[([^\]]+)\]\((?!https?:)([^)#]*)[^)]*\)")
_WHERE: Final = "\n\nThe pages and scripts that are named here are in the source distribution.\n"


def described(readme: str) -> str:
    """Return README with the path of a file in place of each link to it, and without pictures."""

    def told(link: re.Match[str]) -> str:
        words, path = link.groups()
        return words if path in ("", words) else f"{words} [`{path}`]"

    return _LINK.sub(told, _PICTURE.sub("", readme)).rstrip() + _WHERE


class LongDescription(MetadataHookInterface):
    """Gives the metadata their readme."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Hatchling calls this with the table `project` of pyproject.toml."""
        readme = Path(self.root, "README.md").read_text("utf-8")
        metadata["readme"] = {"content-type": "text/markdown", "text": described(readme)}
