"""docs/settings.md, examples/cuelens.toml and examples/card.toml, from the docstrings of the settings.

It is what `make settings` runs.
"""

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from docstrings import about, attributes
from msgspec.inspect import StructType, type_info

from cuelens import settings
from cuelens.commands.card_file import Card
from cuelens.settings import Settings, SingleLed
from cuelens_models.strict_struct import allowed

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "settings.md"
EXAMPLE: Final = ROOT / "examples" / "cuelens.toml"
CARD: Final = ROOT / "examples" / "card.toml"
_EXAMPLE: Final = re.compile(r" \((?:(?P<unit>[^()]+), )?such as (?P<value>[^()]+)\)$")
_WIDTH: Final = 96
_FIRST_ON_CARD: Final = ("camera", "pins", "speaker")
"""What somebody wires or plugs in. The other sections suit nearly everybody as they are."""
_HEAD_OF_CARD: Final = """\
# The settings of these glasses. Change this file on any computer, before they are switched on the first
# time or later, and save it under the same name as plain text.
#
# Lines that begin with # explain. The others say what is: a name, an equals sign and a value. Change the
# value alone. A text stands in straight quotes, "like this"; a number, true and false stand without. All
# here is as the glasses come: what is right already stays as it is.
#
# Switch the glasses on with the card. When their light has breathed twice, or after three minutes, switch
# them off and read cuelens-answer.txt on the card: what was taken, what was wrong and in which line, and which parts of
# the glasses work. A file with a mistake is not taken at all, so nothing breaks.
"""
_REST_OF_CARD: Final = """\
# ---- The rest suits nearly everybody. ----"""
_ABOUT: Final = f"""\
# The settings of a maker

Settings say what the glasses are made of. What suits one wearer stands in the profile, and no key stands in both.
They are a TOML file. The first of these is read, and none but that one:

1. the file after `--config`
2. `{settings.SYSTEM_FILE}`, on the glasses
3. `$XDG_CONFIG_HOME/cuelens/cuelens.toml`, which is `~/.config/cuelens/cuelens.toml` without that variable

Without a file, and for every key that the file leaves out, the defaults below hold. [A file with all of them]\
(../examples/cuelens.toml) is a good beginning:

    sudo install -D -m 644 examples/cuelens.toml {settings.SYSTEM_FILE}
    sudo -u cuelens /opt/cuelens/bin/cuelens doctor

Whoever has the memory card in a computer writes the same keys there: [card.md](card.md). The glasses make their file of
it, when the card says something new.

## Mistakes

A file is used whole or not at all. `cuelens doctor` has a line for each mistake: file, line, key, value, and what is
allowed. It then checks those parts whose sections have none, and ends with status 1. `cuelens run` tells the first and
ends with status 3. Unknown keys are mistakes too, so a misspelt one is told and not passed over.

## When a change takes effect

    sudo systemctl reload cuelens

A reload reads settings and profile. A process without a terminal takes SIGHUP for it.

- The settings have the same values as before: the profile alone is read again. It costs nothing.
- They have others: the glasses begin anew with them. First a check starts beside the run, with all that a start reads:
  model, source, profile. If it succeeds the lights go out, the session ends, the camera and its light go off, and the
  same process starts itself again. Until the first cue this costs what any start costs, and a new session begins. A
  mute and a pause stay. `--seconds` counts anew, and a file plays from its beginning. `--events FILE` goes on behind
  what was written.
- They are wrong, or no run could begin with them, or the profile cannot be used: nothing is taken, the profile neither.
  The run goes on as it was. A fault and a warning in the journal say why.
- A calibration is on: nothing is taken, with a sentence. So it is with `--as-fast`, in the demo, and while a pipe takes
  the events. These take settings at their next start.

All keys are alike in this. Other commands read the file when they start.
"""


class Key(NamedTuple):
    """A key, in words. unit: "" without one. default, allowed, example: as the page shows them."""

    name: str
    about: str
    unit: str
    default: str
    allowed: str
    example: str


def keys(struct: type[Any], names: Collection[str] = ()) -> list[Key]:
    """Return the keys of a struct, or those with these names.

    Raises KeyError for one without description, ValueError for one without example.
    """
    told = attributes(struct)
    rule = type_info(struct)
    assert isinstance(rule, StructType)
    found = []
    for field in rule.fields:
        if names and field.name not in names:
            continue
        words = told[field.name]
        match = _EXAMPLE.search(words)
        if match is None:
            raise ValueError(f"{struct.__name__}.{field.name} has no example: end it with (UNIT, such as VALUE)")
        default = "none: it has to be there" if field.required else _toml(field.default)
        meaning = words[:1].upper() + words[1 : match.start()]
        found.append(Key(field.name, meaning, match["unit"] or "", default, allowed(field.type), match["value"]))
    return found


def page() -> str:
    """Return the page."""
    return "\n".join([_ABOUT, *_reference(), "## A whole file\n", *_indented(example())])


def card() -> str:
    """Return a file for the memory card, for people who know no settings: each key at its default, easy ones first."""
    lines = [*_HEAD_OF_CARD.splitlines()]
    for key in keys(Card, Card.__struct_fields__[-2:]):
        lines += ["", *_explained(key)]
    parts = dict(sections())
    for section in sorted(parts, key=lambda name: name not in _FIRST_ON_CARD):
        if section == next(name for name in parts if name not in _FIRST_ON_CARD):
            lines += ["", *_REST_OF_CARD.splitlines()]
        lines += ["", *_comment(about(parts[section])), f"[{section}]"]
        for key in keys(parts[section]):
            lines += _explained(key)
    # The oldest editors of Windows show a file with other line ends as one line.
    return "".join(f"{line}\r\n" for line in lines)


def example() -> str:
    """Return a file with each key at its default, and what it means."""
    lines = [
        "# Settings of cuelens: each key, at its default. Leave out what is right for you.",
        "# docs/settings.md has all that is allowed; `cuelens doctor` tells mistakes.",
    ]
    for section, struct in sections():
        lines += ["", *_comment(about(struct)), f"[{section}]"]
        for key in keys(struct):
            lines += _explained(key)
    return "\n".join(lines) + "\n"


def sections() -> Iterator[tuple[str, type[Any]]]:
    """Yield the sections by name."""
    for field in msgspec.structs.fields(Settings):
        yield field.name, type(field.default)


def _reference() -> Iterator[str]:
    for section, struct in sections():
        yield f"## [{section}]\n\n{about(struct)}\n"
        yield from _table(struct)
        if section == "pins":
            yield f"Each entry of `single` is {about(SingleLed)[0].lower()}{about(SingleLed)[1:]}\n"
            yield from _table(SingleLed)


def _table(struct: type[Any]) -> Iterator[str]:
    yield "| key | what it is | unit | default | allowed | example |\n|---|---|---|---|---|---|"
    for key in keys(struct):
        default = key.default if key.default.startswith("none") else f"`{key.default}`"
        cells = (f"`{key.name}`", key.about, key.unit, default, key.allowed, f"`{key.example}`")
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def _explained(key: Key) -> list[str]:
    """Return the lines of a key at its default."""
    note = f"{key.about} ({key.unit})" if key.unit else key.about
    return [*_comment(note), f"{key.name} = {key.default}"]


def _toml(value: Any) -> str:
    return json.dumps(value)


def _comment(text: str) -> list[str]:
    lines, line = [], "#"
    for word in text.split():
        if len(line) + len(word) >= _WIDTH:
            lines.append(line)
            line = "#"
        line += f" {word}"
    return [*lines, line]


def _indented(text: str) -> Iterator[str]:
    for line in text.splitlines():
        yield f"    {line}" if line else ""
    yield ""


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
    EXAMPLE.write_text(example(), "utf-8")
    CARD.write_bytes(card().encode())
    print(PAGE, EXAMPLE, CARD, sep="\n")
