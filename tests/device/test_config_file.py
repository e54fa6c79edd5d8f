"""Files as people write them: what is taken, and the sentence with place and rule for what is not."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import inspect

from cuelens import config_file, settings
from cuelens.profile import store
from cuelens.profile.profile import Profile, Session, Sound
from cuelens.settings import Settings
from cuelens_models.errors import BadInput

LIBRARY = re.compile(
    r"\b(int|str|float|bool|enum|object|array|dict|tuple|struct|field|codec|delimiter|msgspec|[Ee]xpecting|got)\b"
    r"|Expected|Invalid|None|0x|`|\(char|\\x"
)
"""Words that only those understand who know the libraries."""
KEYS = ", ".join(Profile.__struct_fields__[:12])
VALUES: list[Any] = [
    None,
    True,
    -7,
    0.123,
    1e9,
    10**30,
    "",
    "gleeful",
    "x" * 500,
    [],
    ["gleeful"],
    [None],
    {},
    {"a": 1},
]


def keys(kind: inspect.Type, path: str = "") -> Iterator[tuple[str, inspect.Type]]:
    """Yield each key inside a type, as "sound.on", and its type."""
    for choice in kind.types if isinstance(kind, inspect.UnionType) else (kind,):
        if isinstance(choice, inspect.CollectionType):
            yield from keys(choice.item_type, f"{path}[0]")
        for field in choice.fields if isinstance(choice, inspect.StructType) else ():
            inner = f"{path}.{field.encode_name}".lstrip(".")
            yield inner, field.type
            yield from keys(field.type, inner)


def nested(path: str, value: Any) -> Any:
    """Return the content of a file with one value: "sound.on" is {"sound": {"on": value}}."""
    for step in reversed(re.findall(r"\w+|\[0\]", path)):
        value = [value] if step == "[0]" else {step: value}
    return value


def toml(value: Any) -> str:
    """Return a value as TOML writes it in one line."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key} = {toml(inner)}' for key, inner in value.items())}}}"
    return f"[{', '.join(map(toml, value))}]" if isinstance(value, list) else json.dumps(value)


def refusal(path: Path, text: str | bytes) -> str:
    """Return the sentence that refuses a file, without its name; "" if the file is taken."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    try:
        if path.suffix == ".toml":
            settings.read(path)
        else:
            config_file.read_json(path, Profile, factory=Profile())
    except BadInput as error:
        sentence = str(error)
        assert sentence.startswith(str(path))
        assert "\n" not in sentence
        assert len(sentence) < len(str(path)) + 400
        assert not LIBRARY.search(sentence.removeprefix(str(path))), sentence
        return sentence.removeprefix(str(path)).removeprefix(": ")
    return ""


PROFILE, SETTINGS = dict(keys(inspect.type_info(Profile))), dict(keys(inspect.type_info(Settings)))


def test_the_tables_hold_every_key() -> None:
    assert {"wearer", "sound", "sound.volume_percent", "cues.happy.light.colour", "policy.enter.sad"} <= set(PROFILE)
    assert {"camera", "camera.fps", "pins.button", "pins.single[0].colour", "places.state"} <= set(SETTINGS)


@pytest.mark.parametrize("path", PROFILE)
def test_every_wrong_value_in_a_profile_is_refused_with_its_key_and_what_is_allowed(tmp_path: Path, path: str) -> None:
    sentences = [refusal(tmp_path / "child.json", json.dumps(nested(path, value))) for value in VALUES]
    check(path, PROFILE[path], sentences)


@pytest.mark.parametrize("path", SETTINGS)
def test_every_wrong_value_in_the_settings_is_refused_with_its_key_and_what_is_allowed(
    tmp_path: Path, path: str
) -> None:
    ((section, value),) = nested(path, "VALUE").items()
    text = f"{section} = {toml(value)}"
    values = [value for value in VALUES if value not in (None, [None])]
    sentences = [refusal(tmp_path / "cuelens.toml", text.replace('"VALUE"', toml(value))) for value in values]
    check(path, SETTINGS[path], sentences)


def check(path: str, rule: inspect.Type, sentences: list[str]) -> None:
    """Check the sentences for one key. An empty one is for a value that is allowed."""
    place = r"(line 1, column \d+: )?"
    rules = [
        rf"{place}{re.escape(path)}(\[0\])? must be .*, not .+",
        rf'{place}there is no key "a" in {re.escape(path)}: choose from .+',
        rf'{place}{re.escape(path)} lacks the key "\w+": it must be .+',
        # A wrong key of a group whose keys are labels.
        rf"{place}{re.escape(path)} must be a group of keys \(.+\), each with a number from .+",
    ]
    refused = [sentence for sentence in sentences if sentence]
    assert len(refused) >= 7
    for sentence in refused:
        assert any(re.fullmatch(words, sentence) for words in rules), sentence
        if isinstance(rule, inspect.IntType | inspect.FloatType):
            kind = "a whole number" if isinstance(rule, inspect.IntType) else "a number"
            assert f"{path} must be {kind} from {rule.ge:g} to {rule.le:g}, not " in sentence


@pytest.mark.parametrize(
    ("text", "profile"),
    [
        pytest.param('\ufeff{"wearer": "Mia"}', Profile(wearer="Mia"), id="a byte-order mark"),
        pytest.param('{"wearer": "Mia"}'.encode("utf-16"), Profile(wearer="Mia"), id="Notepad's Unicode"),
        pytest.param(b"\xfe\xff" + '{"wearer": "Mia"}'.encode("utf-16-be"), Profile(wearer="Mia"), id="big-endian"),
        pytest.param('{"wearer":\r\n"Mia"\r\n}\r\n', Profile(wearer="Mia"), id="line ends of Windows"),
        pytest.param('{"wearer":\r"Mia"\r}\r', Profile(wearer="Mia"), id="line ends of an old Mac"),
        pytest.param('{"wearer": "Mia",}', Profile(wearer="Mia"), id="a comma too many"),
        pytest.param('{"play": {"find": ["happy", ], }, }', Profile(), id="commas too many"),
        pytest.param('{"wearer": "a, ] b", // Mia, }\n}', Profile(wearer="a, ] b"), id="a comma before a comment"),
        pytest.param('// for Mia\n{/* a\n */ "wearer": "Mia"}', Profile(wearer="Mia"), id="comments"),
        pytest.param(r'{"wearer": "http://\"/*,]"}', Profile(wearer='http://"/*,]'), id="no comment in a text"),
        pytest.param('{"wearer": "Mia\u2019s"}', Profile(wearer="Mia\u2019s"), id="a curly apostrophe in a text"),
        pytest.param('{"session": {"minutes": 40.0}}', Profile(session=Session(minutes=40)), id="40.0 for 40"),
        pytest.param('{"session": {"minutes": 4e1}}', Profile(session=Session(minutes=40)), id="4e1 for 40"),
        pytest.param('{"sound": {"on": true}}', Profile(sound=Sound(on=True)), id="as it should be"),
    ],
)
def test_a_profile_is_taken_as_people_and_editors_write_it(tmp_path: Path, text: str | bytes, profile: Profile) -> None:
    path = tmp_path / "child.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert store.read(path) == profile


@pytest.mark.parametrize(
    "text",
    ["\ufeff[camera]\nfps = 20", "[camera]\r\nfps = 20\r\n", "[camera]\rfps = 20\r", "[camera] # mine\nfps = 20.0"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_settings_are_taken_as_people_and_editors_write_them(tmp_path: Path, text: str, encoding: str) -> None:
    path = tmp_path / "cuelens.toml"
    path.write_bytes(text.removeprefix("\ufeff" if encoding == "utf-16" else "").encode(encoding))
    assert settings.read(path).camera.fps == 20


QUOTES = 'text stands in double quotes, "like this"'
CURLY = 'text stands in straight quotes, "like this", not in curly ones'
EARLY = "the file ends too early: a closing bracket or quote is missing"
UNEXPECTED = "this is not expected here: is a comma, a quote or a bracket missing before it?"
NO_VALUE = "a value is missing here: a number, true, false, null, or text in double quotes"
POINT = "a number has a point, no comma: 0.5"
COMMA = "a comma is too many here, or a value is missing"
INVISIBLE = "an invisible character stands here: delete it, or save the file with the encoding UTF-8"
COLOUR = "a colour stands in double quotes, and a comment in JSON begins with //"
AFTER = "something stands after the end: one pair of brackets encloses everything"
LINE = "this cannot be read: expected key = value with text in double quotes, or a [section]"
BLANK = " " * 450_000
TWICE = "this key or section stands there twice: keep one"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", f"line 1, column 2: {EARLY}"),
        ('{"wearer": "Mia"\n', f"line 2, column 1: {EARLY}"),
        ('{"wearer":\n  "Mia" /* never ends }', f"line 2, column 24: {EARLY}"),
        ("{\u201cwearer\u201d: 1}", f"line 1, column 2: {CURLY}"),
        ('{"wearer":\n \u201eMia\u201c}', f"line 2, column 2: {CURLY}"),
        ('{"wearer": "Mia\u201d, "mode": "quiet"}', f"line 1, column 20: {CURLY}"),
        ("{'wearer': 1}", f"line 1, column 2: {QUOTES}"),
        ("{\"wearer\": 'Mia'}", f"line 1, column 12: {QUOTES}"),
        ('{"colour": #F0E442}', f"line 1, column 12: {COLOUR}"),
        ('# for Mia\n{"wearer": "Mia"}', f"line 1, column 1: {COLOUR}"),
        ('{"policy": {"gap_s": 2,5}}', f"line 1, column 24: {POINT}"),
        ('{"wearer": "Mia",, "mode": "quiet"}', f"line 1, column 18: {COMMA}"),
        ('{"play": {"find": ["happy",, "sad"]}}', f"line 1, column 28: {COMMA}"),
        ('{"sound": {"on": True}}', "line 1, column 18: write true, in small letters"),
        ('{"sound": {"on": FALSE}}', "line 1, column 18: write false, in small letters"),
        ('{"wearer":\u00a0"Mia"}', f"line 1, column 11: {INVISIBLE}"),
        ('{"wearer": "Mia"}'.encode("utf-16-le"), f"line 1, column 2: {INVISIBLE}"),
        ("\0\1binary", f"line 1, column 1: {INVISIBLE}"),
        ('{"wearer" "Mia"}', 'line 1, column 11: a colon is missing: an entry is "key": value'),
        ('{"wearer": "Mia"\n "mode": "quiet"}', f"line 2, column 2: {UNEXPECTED}"),
        ('{"session": {"minutes": 20%}}', f"line 1, column 27: {UNEXPECTED}"),
        ("{wearer: 5}", "line 1, column 2: a key in double quotes is missing here"),
        ('{"mode": quiet}', f"line 1, column 10: {NO_VALUE}"),
        ('{"wearer": }', f"line 1, column 12: {NO_VALUE}"),
        ('{"wearer": "Mia"}}', f"line 1, column 18: {AFTER}"),
        ('{"wearer": "Mia\n}', "line 1, column 16: a text ends in its line, with a double quote, and holds no tab"),
        ('{"wearer": "M\tia"}', "line 1, column 14: a text ends in its line, with a double quote, and holds no tab"),
        ('{"wearer": "Mia}', "line 1, column 12: the text that begins here has no closing quote"),
        (r'{"wearer": "C:\Mia"}', "line 1, column 15: a backslash in a text is written twice"),
        ('{"sound": {"on": true}, "sound": {"on": false}}', 'the key "sound" stands there twice: keep one'),
        (r'{"wearer": "\ud800"}', r"a text has half a character, \ud800 to \udfff"),
        (r'{"\ud800": 1}', r"a text has half a character, \ud800 to \udfff"),
        ("[" * 100_000, "line 1, column 1: too many brackets stand in each other"),
        # To find this key among so many spaces took hours.
        (f'{{" ": 1,{" " * 900_000}}}', f'line 1, column 2: there is no key " ": choose from {KEYS}, ...'),
        (f'{{"{BLANK}": 1,{BLANK}}}', f'line 1, column 2: there is no key "{BLANK[:59]}...: choose from {KEYS}, ...'),
        (f'{{"sound": {"9" * 5000}}}', "line 1, column 11: a number has too many digits"),
        ('{"wearer": "M\u00eda"}'.encode("latin-1"), " is not in UTF-8 at line 1: save it with the encoding UTF-8"),
        ("\n\nM\u00eda".encode("latin-1"), " is not in UTF-8 at line 3: save it with the encoding UTF-8"),
        (b"\xff\xfe{", " is not in UTF-8 at line 1: save it with the encoding UTF-8"),
        (b"\xff\xfe", " is empty"),
        ("\ufeff\r\n ", " is empty"),
    ],
)  # fmt: skip
def test_what_is_no_profile_is_refused_with_the_place_and_a_remedy(
    tmp_path: Path, text: str | bytes, sentence: str
) -> None:
    assert refusal(tmp_path / "child.json", text) == sentence


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[camera]\nsource = \u201cpicamera2\u201d", f"line 2, column 10: {CURLY}"),
        ("[camera]\nfps = 15,", f"line 2, column 9: {COMMA}"),
        ("[lens]\nhorizontal_degrees = 62,5", f"line 2, column 24: {POINT}"),
        ("[pins]\nactive_high = True", "line 2, column 15: write true, in small letters"),
        ("[pins]\nred = 1\nred = 2", f"line 3, column 8: {TWICE}"),
        ("[pins]\n[pins]\n", f"line 2, column 6: {TWICE}"),
        ("pins = {red = 1, red = 2}", f"line 1, column 25: {TWICE}"),
        ('[camera]\nsource = "picamera2', f"line 2, column 20: {EARLY}"),
        ("[pins]\nsingle = [", f"line 2, column 11: {EARLY}"),
        ("[camera\nfps = 1", f"line 1, column 8: {LINE}"),
        ("[camera]\nfps: 15", f"line 2, column 4: {LINE}"),
        ("[camera]\nfps = fast", f"line 2, column 7: {LINE}"),
        ("// mine\n[camera]", f"line 1, column 1: {LINE}"),
        ('[places]\nstate = "C:\\x"', "line 2, column 14: a backslash in a text is written twice"),
        ("[camera]\nfps\u00a0= 15", f"line 2, column 4: {INVISIBLE}"),
        (f"a = {'[' * 100_000}", "line 1, column 5: too many brackets stand in each other"),
        (f"fps = 1\n{'a.' * 400_000}a = 1", "line 2: a key has too many points"),
        (f"[{'a . ' * 200_000}a]", "line 1: a key has too many points"),
        ("'a'.\"a\"." * 100_000 + "a = 1", "line 1: a key has too many points"),
        ('"' + '\\"' * 400_000, f"line 1, column 800002: {EARLY}"),
        (f"a = {'9' * 5000}", "line 1, column 5: a number has too many digits"),
        (
            f"[pins]\nred = 0x{'f' * 5000}",
            "line 2, column 1: pins.red must be a whole number from 0 to 27, not so large a number",
        ),
    ],
)
def test_what_are_no_settings_is_refused_with_the_place_and_a_remedy(tmp_path: Path, text: str, sentence: str) -> None:
    assert refusal(tmp_path / "cuelens.toml", text) == sentence


@pytest.mark.parametrize(("name", "head", "tail"), [
    ("child.json", "[", "]"),
    ("child.json", '{"cues":', "}"),
    ("cuelens.toml", "a=[", "]"),
])  # fmt: skip
def test_however_deep_it_is_a_sentence(tmp_path: Path, name: str, head: str, tail: str) -> None:
    # Parsing needs another depth than what follows it, so one may pass where the other fails.
    for depth in range(sys.getrecursionlimit() - 150, sys.getrecursionlimit() + 50):
        text = head + head.lstrip("a=") * (depth - 1) + "1" + tail * depth
        assert refusal(tmp_path / name, text)


def test_points_are_counted_in_keys_alone(tmp_path: Path) -> None:
    path = tmp_path / "cuelens.toml"
    path.write_text(f"# {'.' * 60}\ncamera.source = \"/{'.' * 60}\"  # {'.' * 60}\nplaces.state = '/{'.' * 60}'\n")
    assert settings.read(path).camera.source == f"/{'.' * 60}"


@pytest.mark.parametrize("text", [str(10**400), "-1e400", "NaN"])
def test_no_number_is_too_large_for_a_sentence(tmp_path: Path, text: str) -> None:
    assert "a number" in refusal(tmp_path / "child.json", f'{{"policy": {{"gap_s": {text}}}}}')


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ('{\n  "sound": {\n    "volume_percent": 140}}', "line 3, column 5: "),
        ('{\r\n  "sound": {\r\n    "volume_percent"\r\n: 140}}', "line 3, column 5: "),
        ('{"sound": {"volume_percent": 140}} // "volume_percent": 30', "line 1, column 12: "),
        ('// "volume_percent": 30\n{"sound": {"volume_percent": 140}}', "line 2, column 12: "),
        ('{"wearer": "volume_percent: 1",\n"sound": {"volume\\u005fpercent": 140}}', "line 2, column 11: "),
        ('{"cues": {"sad": {"light": null}}, "light": {},\n "sound": {"volume_percent": 140,}}', "line 2, column 12: "),
    ],
)
def test_the_place_of_a_value_is_said_wherever_its_name_stands_besides(tmp_path: Path, text: str, place: str) -> None:
    sentence = "sound.volume_percent must be a whole number from 0 to 100, not 140"
    assert refusal(tmp_path / "child.json", text) == f"{place}{sentence}"


def test_a_profile_cut_anywhere_or_with_a_wrong_byte_is_taken_or_refused_in_a_sentence(tmp_path: Path) -> None:
    whole = json.dumps(msgspec.to_builtins(Profile()), indent=1).encode()
    for end in range(0, len(whole) - 1, 23):
        assert refusal(tmp_path / "child.json", whole[:end])
    for place in range(0, len(whole), 17):
        for byte in (b"\xff", b"\0", b'"', b"{", b",", b"\n", b"#", b"9"):
            refusal(tmp_path / "child.json", whole[:place] + byte + whole[place + 1 :])
