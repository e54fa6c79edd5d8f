"""No frame leaves memory: a whole session of the real glasses and the real page, by the kernel's account of it.

Every path that was changed stands in docs/design.md, section 9; no byte that was written anywhere was made of pixels,
by a search that `pixels` describes; every number in a file is one that is listed here; and no socket leads out.
"""

import json
import re
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np
import pytest
import system_calls
import traced_session
from pixels import Frames, Search
from system_calls import traced

from cuelens.profile.profile import Profile
from cuelens_models.bundle.file import SHIPPED, load
from cuelens_models.bundle.preprocess import crop, model_input

pytest.importorskip("gpiozero", reason="needs gpiozero for a light on mock pins")
pytest.importorskip("uvicorn", reason="the page comes with the extra web")
WHY_NOT = system_calls.why_not() or "".join(
    f"needs {name}" for name in ("aplay", "espeak-ng", "unshare") if not shutil.which(name)
)
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)]

DESIGN = Path(__file__).resolve().parents[3] / "docs" / "design.md"
PICTURE = b'{"message":"picture",'
OUTSIDE = ("/dev/null", "/dev/tty")
"""Changed by everybody, and held by nobody."""
OF_FACES = {
    "people.shift.LABEL": "nats by which the readings of the household are moved",
    "people.scale.LABEL": "factors of the same",
    "people.people": "sittings that these are the mean of",
}
"""The numbers of a profile that come from faces. All others are what the caregiver or the factory chose."""
OF_WEARER = {"schema", "muted", "paused", "answered_first[]"}
OF_STORY = {
    "session": {"id", "began", "mode", "school", "seconds", "ended"},
    "event": {"id", "session", "t", "kind", "word", "detail", "outputs"},
}
"""Columns of the story. Of faces come when a cue was given, its word, and for how long any face was in view."""
WORDS = {"cue", "press", "mode", "mute", "pause", "unsure", "in view"}


@pytest.fixture(scope="module")
def frames() -> Frames:
    return Frames()


@pytest.fixture(scope="module")
def search(frames: Frames) -> Search:
    return Search(frames)


@pytest.fixture(scope="module")
def told(frames: Frames, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What a whole session did."""
    folder = tmp_path_factory.mktemp("session")
    frames.write(folder / "frames", 240)
    return traced_session.run(folder, folder / "frames")


def table() -> list[str]:
    """Return the names of the files in the document's table."""
    section = DESIGN.read_text().partition("\n## 9.")[2].partition("\n## 10.")[0]
    rows = section.partition("| file | what it holds |")[2].partition("\n\n")[0]
    return [name for row in rows.splitlines() for name in re.findall(r"`([^`]+)`", row.split("|")[1] if row else "")]


def allowed(folders: dict[str, Path]) -> list[re.Pattern[str]]:
    """Return the document's table as patterns of paths, and the folders that these need."""
    names = {*table(), *(str(Path(name).parent) for name in table())}
    names |= {f"STATE/story.sqlite.damaged-N{ending}" for ending in ("-wal", "-shm")}
    patterns = []
    for name in names:
        parts = re.split(r"\b(STATE|RUNTIME|TMP)\b|([A-Z]+)", name)
        text = ""
        for literal, folder, word in zip(parts[::3], [*parts[1::3], ""], [*parts[2::3], ""], strict=True):
            kind = {None: "", "": "", "N": "[0-9]+", "HASH": "[0-9a-f]{16}"}.get(word, r"[\w.-]+")
            text += re.escape(literal) + (re.escape(str(folders[folder])) if folder else kind)
        patterns.append(re.compile(text))
    return patterns


def outside_table(did: Any, folders: dict[str, Path]) -> set[str]:
    """Return what was changed, and does not stand in the document."""
    patterns = allowed(folders)
    return {
        path
        for path in did.changed
        if path.startswith("/") and path not in OUTSIDE and not path.startswith("/memfd:")
        if not any(pattern.fullmatch(path) for pattern in patterns)
    }


def found_outside_pictures(search: Search, did: Any) -> dict[str, set[str]]:
    """Return where anything made of pixels was written, but for the answers to `look`."""
    written = {place: bytes(data) for place, data in did.sent.items() if not bytes(data).startswith(PICTURE)}
    if not search.found(b"\0".join(written.values())):
        return {}
    return {place: found for place, data in written.items() if (found := search.found(data))}


def test_the_session_was_a_whole_one(told: Any) -> None:
    assert any(Path(program).name == "aplay" for program in told.glasses.programs), "nothing was played"
    assert sum(Path(program).name != "aplay" for program in told.glasses.programs) > 1, "nothing was rendered"
    assert told.looked == 7
    assert "no sound" not in told.said
    for event in ("press", "mute", "pause", "cue"):
        assert f",{event}," in told.export


def test_every_path_that_the_glasses_change_stands_in_the_document(told: Any) -> None:
    assert outside_table(told.glasses, told.folders) == set()
    assert any(path.endswith("story.sqlite") for path in told.glasses.changed)


def test_the_page_changes_no_file(told: Any) -> None:
    assert {path for path in told.page.changed if path not in OUTSIDE} == set()


def test_nothing_that_was_written_was_made_of_pixels(told: Any, search: Search) -> None:
    assert found_outside_pictures(search, told.glasses) == {}
    assert told.glasses.unseen == set()
    mapped = {Path(path).name for path in told.glasses.mapped}
    # SQLite's index of its journal; and what espeak's sound library would play by, which is never a file.
    assert mapped <= {"story.sqlite-shm", "memfd:pulseaudio"}


def test_pictures_go_to_the_phone_alone_and_are_found_there(told: Any, search: Search) -> None:
    pictures = {place: bytes(data) for place, data in told.glasses.sent.items() if bytes(data).startswith(PICTURE)}
    assert len(pictures) == told.looked
    assert all(place.startswith("UNIX-STREAM:") for place in pictures)
    assert all("a picture file in base64" in search.found(data) for data in pictures.values())
    of_page = {place: search.found(bytes(data)) for place, data in told.page.sent.items()}
    assert "a picture file" in set().union(*(found for place, found in of_page.items() if place.startswith("TCP:")))
    assert not any(found for place, found in of_page.items() if not place.startswith("TCP:"))


def test_no_file_that_is_left_holds_anything_made_of_pixels(told: Any, search: Search) -> None:
    left = [file for folder in told.folders.values() for file in folder.rglob("*") if file.is_file()]
    assert len(left) > 10
    assert {file: found for file in left if (found := search.found(file.read_bytes()))} == {}


def numbers(value: object, key: str = "") -> Iterator[tuple[str, object]]:
    """Yield each number in a JSON document, with its key."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from numbers(inner, f"{key}.{name}" if key else name)
    elif isinstance(value, list):
        for inner in value:
            yield from numbers(inner, f"{key}[]")
    elif isinstance(value, int | float):
        yield key, value


def of_faces(profile: Any) -> set[str]:
    """Return the keys of a stored profile whose numbers neither the caregiver nor the factory chose."""
    factory = dict(numbers(json.loads(msgspec.json.encode(Profile()))))
    chosen = {("sound.on", True), ("policy.gap_s", 1.0)} | SUBTLE
    return {
        re.sub(r"^(people\.(?:shift|scale))\.\w+$", r"\1.LABEL", key)
        for key, value in numbers(profile)
        if factory.get(key) != value and (key, value) not in chosen
    }


SUBTLE = {("light.brightness_percent", 20), ("light.night_percent", 6), ("sound.volume_percent", 30)}
"""What the caregiver chose on the page."""


def test_of_faces_a_profile_holds_the_numbers_of_the_household_alone(told: Any) -> None:
    files = [*told.folders["STATE"].glob("profiles/*.json"), *told.folders["STATE"].glob("good/*.json")]
    assert len(files) > 3
    for file in files:
        assert of_faces(json.loads(file.read_bytes())) <= set(OF_FACES), file


def test_a_number_that_is_not_listed_is_found() -> None:
    profile = json.loads(msgspec.json.encode(Profile()))
    profile["people"] |= {"shift": {"happy": 0.25}, "people": 1}
    assert of_faces(profile) == {"people.shift.LABEL", "people.people"}
    profile["policy"]["dwell_s"] = 1.03125
    profile["face"] = {"width": 0.1}
    assert of_faces(profile) - set(OF_FACES) == {"policy.dwell_s", "face.width"}


def test_the_wearers_file_and_the_record_of_starts_hold_what_is_listed(told: Any) -> None:
    wearer = json.loads((told.folders["STATE"] / "wearer.json").read_bytes())
    assert {key for key, _ in numbers(wearer)} <= OF_WEARER
    assert {type(value) for key, value in numbers(wearer) if key == "answered_first[]"} <= {bool}
    starts = json.loads((told.folders["STATE"] / "starts.json").read_bytes())
    assert {key for key, _ in numbers(starts)} <= {"schema", "starts", "unfinished", "by_camera"}
    # The lamps are left where there are pins (tests/device/adapters/test_last_resort.py).
    assert re.fullmatch(r"\d{1,4}\n", (told.folders["STATE"] / "glimmer").read_text())


def test_the_story_holds_the_columns_that_are_listed(told: Any) -> None:
    with closing(sqlite3.connect(told.folders["STATE"] / "story.sqlite")) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert tables - {"sqlite_sequence"} == set(OF_STORY)
        for name, columns in OF_STORY.items():
            assert {row[1] for row in db.execute(f"PRAGMA table_info({name})")} == columns
        rows = db.execute("SELECT kind, word, detail, outputs FROM event").fetchall()
        blobs = db.execute("SELECT count(*) FROM event WHERE 'blob' IN (typeof(word), typeof(detail))").fetchone()[0]
    assert rows
    assert blobs == 0
    assert {kind for kind, *_ in rows} <= WORDS
    for kind, *texts in rows:
        # The one number among the words: for how many seconds any face was in view.
        assert kind == "in view" or not re.search(r"\d", " ".join(texts)), (kind, texts)


def test_no_socket_leads_out_of_the_glasses(told: Any) -> None:
    assert told.glasses.sockets <= {"AF_UNIX", "AF_NETLINK"}
    assert told.glasses.connected <= {"bind AF_UNIX", "connect AF_UNIX", "bind AF_NETLINK"}


def test_the_page_listens_and_connects_to_the_glasses_alone(told: Any) -> None:
    assert told.page.sockets <= {"AF_UNIX", "AF_INET"}
    assert told.page.connected == {"bind AF_INET", "connect AF_UNIX"}


# What shows that each of these can fail.

LEAKS = {
    "rows of a frame": "grey[200:232].tobytes()",
    "rows of a frame in base64": "base64.b64encode(grey[100:110].tobytes())",
    "rows of a frame, signed": "(grey ^ 128)[50:60].tobytes()",
    "a frame shrunk by 4": "cv2.resize(grey, (160, 120), interpolation=cv2.INTER_AREA).tobytes()",
    "shadows lifted": "lifted(grey)[100:110].tobytes()",
    "a face": "face.tobytes()",
    "a face as the network gets it": "model_input(face, contract).tobytes()",
    "a face in floats": "b'abc' + ((face - face.mean()) / face.std()).astype('f4').tobytes()",
    "a look": "cv2.resize(face, (8, 8), interpolation=cv2.INTER_AREA).tobytes()",
    "a picture file": "b'before' + cv2.imencode('.jpg', face)[1].tobytes()",
}
"""What a watcher writes, given a frame and the face in it as the pipeline finds it."""
LEAKY = """
import base64, os, sys
from pathlib import Path
import cv2
from cuelens.commands.run import RunOptions, run
from cuelens_models.bundle.cascade import lifted
from cuelens_models.bundle.file import SHIPPED, load
from cuelens_models.bundle.preprocess import crop, model_input
contract, folder, forms = load(SHIPPED).contract, Path(sys.argv[1]), eval(sys.argv[3])
written = set()

def watch(frame, decision):
    for found in decision.faces[:1]:
        grey, face = frame.grey, crop(frame.grey, found.box, contract, tilt=found.tilt)
        for name in set(forms) - written:
            written.add(name)
            place = folder / name.replace(" ", "-")
            place.write_bytes(eval(forms[name]))
            place.unlink()

run(RunOptions(source=sys.argv[2], as_fast=True, seconds=3.0, cues=()), watchers=[watch])
"""


@pytest.fixture(scope="module")
def leaked(frames: Frames, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What glasses did that write a few things and delete them again."""
    folder = tmp_path_factory.mktemp("leak")
    frames.write(folder / "frames", 3)
    (folder / "kept").mkdir()
    words = [sys.executable, "-c", LEAKY, str(folder / "kept"), str(folder / "frames"), repr(LEAKS)]
    subprocess.run(traced(words, folder / "trace"), check=True, timeout=120, capture_output=True)
    assert list((folder / "kept").iterdir()) == []
    return folder / "kept", system_calls.read(folder / "trace")


def test_all_that_is_leaked_is_found_though_it_was_deleted(leaked: Any, search: Search) -> None:
    folder, did = leaked
    missed = {
        name for name in LEAKS if not search.found(bytes(did.sent.get(str(folder / name.replace(" ", "-")), b"")))
    }
    assert missed == set()


def test_files_that_are_not_listed_are_found(leaked: Any, tmp_path: Path) -> None:
    folder, did = leaked
    folders = {"STATE": folder, "RUNTIME": tmp_path / "run", "TMP": tmp_path / "tmp"}
    assert {str(folder / name.replace(" ", "-")) for name in LEAKS} <= outside_table(did, folders)


@pytest.mark.parametrize(
    ("program", "family"),
    [
        ("socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "AF_INET"),
        ("socket.socket(socket.AF_INET6)", "AF_INET6"),
        ("socket.socket().connect_ex(('127.0.0.1', 9))", "AF_INET"),
    ],
)
def test_a_socket_that_leads_out_is_found(tmp_path: Path, program: str, family: str) -> None:
    words = [sys.executable, "-c", f"import socket; {program}"]
    subprocess.run(traced(words, tmp_path / "trace"), check=True, timeout=60)
    did = system_calls.read(tmp_path / "trace")
    assert did.sockets == {family}
    assert ("connect_ex" in program) == ("connect AF_INET" in did.connected)


@pytest.mark.parametrize(
    ("program", "call"),
    [
        ("os.sendfile(os.open('b', os.O_CREAT | os.O_WRONLY), os.open('a', os.O_RDONLY), 0, 3)", "sendfile"),
        ("os.copy_file_range(os.open('a', os.O_RDONLY), os.open('b', os.O_CREAT | os.O_WRONLY), 3)", "copy_file_range"),
    ],
)
def test_bytes_that_move_unseen_are_found(tmp_path: Path, program: str, call: str) -> None:
    (tmp_path / "a").write_bytes(b"abc")
    words = [sys.executable, "-c", f"import os; {program}"]
    subprocess.run(traced(words, tmp_path / "trace"), check=True, timeout=60, cwd=tmp_path)
    assert system_calls.read(tmp_path / "trace").unseen == {call}


def test_a_mapping_that_is_written_through_is_found(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(4096))
    words = [sys.executable, "-c", "import mmap; file = open('a', 'r+b'); mmap.mmap(file.fileno(), 0)[:3] = b'abc'"]
    subprocess.run(traced(words, tmp_path / "trace"), check=True, timeout=60, cwd=tmp_path)
    assert system_calls.read(tmp_path / "trace").mapped == {str(tmp_path / "a")}


def test_on_a_read_only_root_only_its_own_folders_can_be_written_to(tmp_path: Path) -> None:
    tried = partial(subprocess.run, capture_output=True, text=True, check=False)
    if tried(["unshare", "-m", "true"]).returncode:
        pytest.skip("only root may mount")
    (tmp_path / "own").mkdir()
    script = f"touch {tmp_path}/own/a && ! touch {tmp_path}/other"
    done = tried(system_calls.on_read_only_root(["sh", "-c", script], [tmp_path / "own"]))
    assert done.returncode == 0, done.stderr
    assert "Read-only file system" in done.stderr
    assert (tmp_path / "own" / "a").exists()
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize("seed", range(3))
def test_the_search_finds_nothing_in_noise_sound_and_text(search: Search, seed: int) -> None:
    random = np.random.default_rng(seed)
    wave = (9000 * np.sin(np.arange(40_000) * random.uniform(0.01, 0.2))).astype("<i2")
    for data in (random.bytes(100_000), wave.tobytes(), DESIGN.read_bytes(), bytes(10_000), SHIPPED.read_bytes()):
        assert search.found(data) == set()


def test_a_face_a_little_beside_its_place_is_found(frames: Frames, search: Search) -> None:
    contract = load(SHIPPED).contract
    grey, (x, y, w, h) = frames.pictures[5]
    darker = np.asarray(cv2.convertScaleAbs(grey, alpha=0.5, beta=20), np.uint8)
    for shift in (-6, 0, 6):
        face = crop(darker, (x + shift, y, w, h), contract)
        assert "a face" in search.found(bytes(500) + face.tobytes() + bytes(500))
        assert "a face" in search.found(model_input(face, contract).tobytes())
