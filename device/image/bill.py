"""The bill of materials of a root, in the words of CycloneDX 1.6, and the check of it against the root itself.

It is read from what is installed, the database of dpkg and the metadata of the wheels, not from the lock files: so it
says what is there, and the check compares both.
"""

import json
import re
import tarfile
from collections.abc import Iterator
from email.parser import Parser
from pathlib import Path
from typing import Any, Final

from image import archive, python_packages
from image.failure import Failure

_STATUS: Final = "./var/lib/dpkg/status"
_METADATA: Final = re.compile(r"\./(opt/cuelens|usr)/lib/python3[^/]*/(site|dist)-packages/[^/]+\.dist-info/METADATA")


def write(root: Path, file: Path) -> None:
    """Write the bill of a root's tar."""
    with tarfile.open(root) as content:
        components = sorted(_components(content), key=lambda one: one["purl"])
    bill = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "operating-system", "name": "cuelens-glasses"}},
        "components": components,
    }
    file.write_text(json.dumps(bill, indent=1) + "\n")


def _components(content: tarfile.TarFile) -> Iterator[dict[str, Any]]:
    for member in content:
        if member.name == _STATUS:
            for fields in stanzas(_text(content, member)):
                if fields["Status"].endswith(" installed"):
                    yield _debian(fields)
        elif _METADATA.fullmatch(member.name):
            fields = dict(Parser().parsestr(_text(content, member), headersonly=True).items())
            name = re.sub(r"[-_.]+", "-", fields["Name"]).lower()
            yield _component(name, fields["Version"], f"pkg:pypi/{name}@{fields['Version']}", _licence(fields))


def _text(content: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    reader = content.extractfile(member)
    if reader is None:
        raise Failure(f"{member.name} is no file in the root")
    return reader.read().decode()


def stanzas(text: str) -> Iterator[dict[str, str]]:
    """Read what dpkg and apt write of packages: one stanza each, without the lines that go on in the next."""
    for stanza in text.strip().split("\n\n"):
        yield dict(line.split(": ", 1) for line in stanza.splitlines() if ": " in line and line[0] not in " \t")


def _debian(fields: dict[str, str]) -> dict[str, Any]:
    name, version, architecture = fields["Package"], fields["Version"], fields["Architecture"]
    address = f"pkg:deb/debian/{name}@{version.replace(':', '%3A')}?arch={architecture}"
    return _component(name, version, address, "")


def _licence(fields: dict[str, str]) -> str:
    return fields.get("License-Expression") or fields.get("License", "").split("\n")[0][:80]


def _component(name: str, version: str, address: str, licence: str) -> dict[str, Any]:
    found: dict[str, Any] = {"type": "library", "name": name, "version": version, "purl": address}
    if licence:
        found["licenses"] = [{"license": {"name": licence}}]
    return found


def check(file: Path, flavour: str) -> int:
    """Compare a bill with the lock files, and return how many components it has. Raises Failure if they differ."""
    there = {
        (one["purl"].split("/")[0], one["name"], one["version"]) for one in json.loads(file.read_text())["components"]
    }
    locked = {("pkg:deb", one.name, one.version) for layer in ("base", flavour) for one in archive.locked(layer)}
    layers = ["application", "emulator"] if flavour == "emulator" else ["application"]
    locked |= {("pkg:pypi", name, version) for layer in layers for name, version, _ in python_packages.locked(layer)}
    ours = {one for one in there if one[1] in {"cuelens", "lgpio"}}
    # Packages of Debian hold wheels' metadata too.
    strangers = {one for one in there - locked - ours if one[0] == "pkg:deb"}
    if strangers or locked - there:
        wrong = sorted(strangers | (locked - there))
        raise Failure(
            f"the root and the lock files differ: {', '.join(f'{name} {version}' for _, name, version in wrong)}"
        )
    return len(there)
