"""docs/reference: each key of a profile, each event, each field of a bundle and each command, as the code has them.

It is what `make reference` runs. What a key means stands in the docstring of its struct.
"""

import argparse
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, get_args

import msgspec
from docstrings import about, attributes
from msgspec.inspect import CollectionType, StructType, UnionType, type_info

from cuelens import arguments, events
from cuelens.cues.modes import modes
from cuelens.health.words import FAULTS, STATES
from cuelens.profile import language
from cuelens.profile.profile import Profile
from cuelens_convert import cli as convert
from cuelens_models import command
from cuelens_models.bundle.contract import Contract
from cuelens_models.bundle.golden import FORMULAS
from cuelens_models.bundle.training_record import TrainingRecord
from cuelens_models.commands import audit, evaluate, train, tune
from cuelens_models.strict_struct import allowed, excerpt

FOLDER: Final = Path(__file__).resolve().parents[1] / "docs" / "reference"
_MADE: Final = "<!-- Made by `make reference`, from the code. -->\n"
_PROFILE: Final = """\
# The profile, key by key

A profile holds a caregiver's choices for one wearer: one JSON file, `NAME.json` in the folder `profiles` of the state
folder. Every key may be left out: the factory's value stands instead, at any depth. Unknown keys are mistakes.
`cuelens profile check FILE` names each mistake with its line, and `cuelens profile show` prints what is in force.
[profile.schema.json](../profile.schema.json) says the same to editors.
"""
_EVENTS: Final = """\
# The events, field by field

Everything that the glasses perceive and do is one stream of events. `cuelens run --events FILE` writes each as a line
of JSON; `-` is standard output. The key `event` says which it is. `cuelens replay FILE` reads such a file.
"""
_BUNDLE: Final = f"""\
# The bundle, field by field

A bundle is a TFLite model with a zip appended. `unzip -l` lists the zip, and every TFLite runtime reads the model. The
zip is stored uncompressed, and holds two files:

- `labels.txt`: the labels, one a line, in the order of the outputs
- `contract.json`: how the model is fed and read, below

`convert-model` writes bundles, `convert-model --inspect FILE` prints one in words. Fractions are 0 to 1. The loader
refuses a file whose contract and model disagree, in a sentence ([design](../design.md#4-the-bundle)).

Golden samples are 48x48 pictures, of these formulas: {", ".join(f"`{formula}`" for formula in FORMULAS)}.
"""
_COMMANDS: Final = """\
# The commands

What each command says with `--help`. All of them know these options:

- `--version`: print the version
- `--debug`: show a traceback when something goes wrong; without it an error is one line

The exit status means the same everywhere. Some commands say more below.

"""


def profile() -> str:
    """Return the page of the profile."""
    rules = {"language": _either(language.available()), "mode": _either(modes())}
    return "\n".join([_MADE, _PROFILE, *_tables(Profile, "the whole", rules)])


def event_page() -> str:
    """Return the page of the events."""
    lines = [_MADE, _EVENTS]
    for kind in get_args(events.AnyEvent):
        lines += [f"## {kind.__struct_config__.tag}", "", about(kind), "", *_table(kind, {})]
    lines += ["## States", "", "What the event `state` says:", "", "| state | in words |", "|---|---|"]
    lines += [f"| {state} | {words} |" for state, words in STATES.items() if state != "starting"]
    lines += ["", "## Faults", "", "What the event `fault` names. An error takes something from the wearer.", ""]
    lines += ["| fault | level | what it means |", "|---|---|---|"]
    levels = {3: "error", 4: "warning"}
    lines += [f"| {fault} | {levels[meaning.level]} | {meaning.words} |" for fault, meaning in FAULTS.items()]
    return "\n".join([*lines, ""])


def bundle() -> str:
    """Return the page of the bundle."""
    record = ["## The training record", "", "`train-model` puts `cuelens.json` into the zip of a `.keras` file."]
    record += ["`convert-model` reads it.", ""]
    tables = list(_tables(TrainingRecord, "the record", {}, known={"crop"}))
    return "\n".join([_MADE, _BUNDLE, *_tables(Contract, "the whole", {}), *record, *tables[4:]])


def commands() -> str:
    """Return the page of the commands."""
    lines = [_MADE, _COMMANDS.rstrip("\n"), "", *(f"- {status}" for status in _statuses()), ""]
    for module in (arguments, train, audit, tune, evaluate, convert):
        lines += _command(module.parser() if module is arguments else module.command_line(), "##")
    return "\n".join(lines)


def _tables(
    struct: type[Any], name: str, rules: Mapping[str, str], known: Collection[str] = (), heading: str = ""
) -> Iterator[str]:
    """Yield a section for a struct, and for each that it holds.

    Args:
        struct: to describe.
        name: its path in the file.
        rules: what is allowed, by key, in place of what the type says.
        known: keys whose structs were described before.
        heading: of the section; the path if empty.
    """
    yield from (f"## {heading or name}", "", about(struct), "", *_table(struct, rules))
    for field in _fields(struct):
        inner = _struct(field.type)
        if inner and field.encode_name not in known:
            path = field.encode_name if name.startswith("the ") else f"{name}.{field.encode_name}"
            twin = _twins(struct).get(inner.cls)
            if twin is None or twin == field.encode_name:
                alike = [other.encode_name for other in _fields(struct) if _struct(other.type) == inner]
                same = f", and likewise {', '.join(alike[1:])}" if alike[1:] else ""
                yield from _tables(inner.cls, path, {}, heading=path + same)


def _twins(struct: type[Any]) -> dict[type[Any], str]:
    """Return, for each struct that several keys hold, the first of these keys."""
    first: dict[type[Any], str] = {}
    for field in _fields(struct):
        if inner := _struct(field.type):
            first.setdefault(inner.cls, field.encode_name)
    return first


def _table(struct: type[Any], rules: Mapping[str, str]) -> Iterator[str]:
    told = attributes(struct)
    optional = any(not field.required for field in _fields(struct))
    yield "| key | what it is | allowed | default |" if optional else "| key | what it is | allowed |"
    yield "|---|---|---|" + optional * "---|"
    for field in _fields(struct):
        rule = rules.get(field.name) or _allowed(field.type)
        default = "none: it has to be there" if field.required else _default(field)
        cells = [f"`{field.encode_name}`", told[field.name].rstrip("."), rule, *([default] if optional else [])]
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"
    yield ""


def _fields(struct: type[Any]) -> tuple[Any, ...]:
    rule = type_info(struct)
    assert isinstance(rule, StructType)
    return rule.fields


def _struct(rule: Any) -> StructType | None:
    """Return the struct that a type is, that it may be, or that a list of it holds."""
    for choice in rule.types if isinstance(rule, UnionType) else (rule,):
        inner = choice.item_type if isinstance(choice, CollectionType) else choice
        inner = getattr(inner, "type", inner) if not isinstance(inner, StructType) else inner
        if isinstance(inner, StructType):
            return inner
    return None


def _allowed(rule: Any) -> str:
    """Return what a type takes. A struct has a section of its own."""
    words = re.sub(r"a group of keys \([^)]*\)(?!, each)", "a group of keys, below", allowed(rule))
    return words.replace("below or", "below, or")


def _default(field: Any) -> str:
    if field.default is msgspec.NODEFAULT and field.default_factory is msgspec.NODEFAULT:
        return "left out"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    if isinstance(value, msgspec.Struct):
        return "its keys' own" if _struct(field.type) and value == _plain(type(value)) else f"`{_json(value)}`"
    return f"`{_json(value)}`"


def _plain(struct: type[Any]) -> Any:
    try:
        return struct()
    except TypeError:
        return None


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode().replace('":', '": ').replace(',"', ', "')


def _either(names: Any) -> str:
    return " or ".join([", ".join([*map(excerpt, names)][:-1]), excerpt([*names][-1])])


def _statuses() -> list[str]:
    words = " ".join(command.EXIT_STATUSES.removeprefix("exit status: ").split())
    return [*re.sub(r"(^|; )(\d+)", r"\1`\2`", words).split("; ")]


def _command(parser: argparse.ArgumentParser, level: str, told: Collection[str | None] = ()) -> Iterator[str]:
    """Yield the section of a command, and those of the commands below it. told: texts that were shown before."""
    yield f"{level} {parser.prog}\n"
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001
    shown = [action for action in parser._actions if action not in below and not _is_common(action)]  # noqa: SLF001
    if parser.description and parser.description not in told:
        yield f"{_paragraphs(parser.description)}\n"
    if shown:
        yield "| option | what it is |\n|---|---|"
        yield from (_option(action, parser) for action in shown)
        yield ""
    text = "" if parser.epilog in told else (parser.epilog or "").replace(command.EXIT_STATUSES, "").rstrip()
    if text.startswith("exit status"):
        yield f"{_sentence(text)}\n"
    elif text:
        yield f"```text\n{text}\n```\n"
    for action in below:
        words = {choice.dest: choice.help for choice in action._choices_actions}  # noqa: SLF001
        for name, inner in action.choices.items():
            inner.description = inner.description or _sentence(words[name])
            yield from _command(inner, level + "#", (parser.description, parser.epilog))


def _is_common(action: argparse.Action) -> bool:
    return action.dest in ("help", "version", "debug")


def _option(action: argparse.Action, parser: argparse.ArgumentParser) -> str:
    value = action.metavar or ("\\|".join(map(str, action.choices)) if action.choices else action.dest.upper())
    takes = f" {value}{' ...' if action.nargs in ('+', '*') else ''}" if action.nargs != 0 else ""
    names = ", ".join(action.option_strings)
    needed = action.required and bool(action.option_strings)
    told = (action.help or "") % {**vars(action), "prog": parser.prog}
    words = told.replace("|", "\\|").replace("<", "&lt;")
    return f"| `{f'{names}{takes}'.strip()}` | {words}{' (needed)' if needed else ''} |"


def _sentence(words: str | None) -> str:
    return f"{(words or '')[:1].upper()}{(words or '')[1:]}."


def _paragraphs(text: str) -> str:
    """Return text in which lines that are indented stand as they are."""
    return re.sub(r"(?m)^ {2}(?=\S)", "    ", text.strip())


PAGES: Final = {"profile.md": profile, "events.md": event_page, "bundle.md": bundle, "commands.md": commands}


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, page in PAGES.items():
        (FOLDER / name).write_text(page(), "utf-8")
        print(FOLDER / name)
