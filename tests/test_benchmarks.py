"""The benchmarks run: their figures are looked at by people, here only that they are still printed."""

import importlib
import re
import shutil
import subprocess
import sys
from itertools import islice
from pathlib import Path
from types import ModuleType

import msgspec
import numpy as np
import pytest

from cuelens import events
from cuelens.adapters.demo_scene import photograph

pytest.importorskip("skimage", reason="the scenes' backgrounds come with scikit-image (extra train)")

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"


def printed(script: str, *options: str) -> str:
    command = [sys.executable, str(BENCHMARKS / script), *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def test_looking_is_measured() -> None:
    told = printed("looking.py", "--scenes", "1", "--crossings", "1", "--empty-frames", "32", "--jobs", "1")
    figures = (
        "recall of the looking stage",
        "first reading",
        "swapped tracks",
        "false cues in 32 frames",
        "tracked against",
    )
    for figure in figures:
        assert figure in told


def test_looking_is_measured_with_a_rolled_camera_and_with_photographs(tmp_path: Path) -> None:
    pairs = tmp_path / "pairs.npz"
    smile = photograph("astronaut.png")[:320, 60:380]
    np.savez(pairs, frames=np.stack([smile, smile]), expression=np.array(["happy", "neutral"]))
    told = printed("looking.py", "--scenes", "1", "--jobs", "1", "--tilt", "25", "--pairs", str(pairs))
    assert "rolled by 25 degrees: recall" in told
    assert "smiles of 1 people" in told
    ratio = float(told.split("ratio ")[1].split()[0])
    assert ratio > 0.5


def test_fewer_beats_a_second_see_fewer_frames_of_the_same_scenes() -> None:
    scene = ("looking.py", "--scenes", "1", "--jobs", "1", "--tilt", "25", "--rate")
    many, few = (int(printed(*scene, rate).split(" frames")[0].split()[-1]) for rate in ("15", "5"))
    assert few == pytest.approx(many / 3, abs=8)
    assert few > 100


@pytest.mark.parametrize("rate", ["0", "-5", "15.1", "nan"])
def test_a_rate_that_the_scenes_do_not_have_is_refused(rate: str) -> None:
    command = [sys.executable, str(BENCHMARKS / "looking.py"), f"--rate={rate}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"--rate {rate}: give a rate above 0, and at most the scenes' 15 a second" in done.stderr


def test_a_beat_is_measured_beside_its_bare_calls() -> None:
    told = printed("beat.py", "--seconds", "6", "--long", "2001")
    for figure in ("frame to decision: mean", "beat / bare", "all else", "after 2,001"):
        assert figure in told


def test_memory_of_a_run_is_measured_in_all_and_by_file() -> None:
    told = printed("memory.py", "--seconds", "10", "--where")
    for figure in ("resident (", "its own)", "at the highest", "heaps and stacks", "cv2"):
        assert figure in told


def test_every_part_of_a_beat_is_measured(tmp_path: Path) -> None:
    file = tmp_path / "beat.json"
    told = printed("anatomy.py", "--rounds", "1", "--json", str(file))
    assert "nobody followed" in told
    found = msgspec.json.decode(file.read_bytes())
    for kind in found["kinds"].values():
        stages, spans = kind["stages"], kind["typical"]["spans"]
        assert sum(stage["mean"] for stage in stages.values()) == pytest.approx(kind["whole"]["mean"], rel=0.02)
        assert all(stage["mean"] >= 0 for stage in stages.values())
        outer = [span for span in spans if span[1] == 0]
        assert all(
            any(begin <= inner[2] <= inner[3] <= end for _, _, begin, end in outer) for inner in spans if inner[1]
        )
        assert max(span[3] for span in spans) <= kind["typical"]["whole"]
    read, nobody = found["kinds"]["a face followed and read"], found["kinds"]["nobody followed"]
    # A followed face is searched for in some beats only: the typical one need not hold a search.
    assert {span[0] for span in read["typical"]["spans"]} >= {"look", "read", "invoke", "decide"}
    assert all(read["stages"][name]["mean"] > 0 for name in ("cascade", "invoke"))
    assert nobody["stages"]["cascade"]["mean"] > 0


def test_a_session_is_measured() -> None:
    assert "s of processor time a minute" in printed("session_cpu.py", "--seconds", "2", "--rounds", "1")


@pytest.mark.parametrize("kind", ["persons", "faces", "before"])
def test_false_cues_are_counted_on_made_streams(tmp_path: Path, kind: str) -> None:
    options = ("--streams", kind, "--minutes", "5", "--seeds", "1", "--write")
    told = printed("false_cues.py", *options, str(tmp_path))
    assert f"1 streams of {kind}, 5 minutes each" in told
    assert "6 episodes" in told
    assert "in ten minutes" in told
    again = tmp_path / "again"
    printed("false_cues.py", *options, str(again))
    assert (again / "stream-1.jsonl").read_bytes() == (tmp_path / "stream-1.jsonl").read_bytes()


def test_the_trade_off_of_the_policy_is_written(tmp_path: Path) -> None:
    file = tmp_path / "cues.json"
    printed("false_cues.py", "--minutes", "5", "--seeds", "1", "--inner-seeds", "101", "--curve", str(file))
    found = msgspec.json.decode(file.read_bytes())
    assert set(found["inner"]) == {"persons", "faces"}
    for points in found["inner"].values():
        assert [one["caution"] for one in points] == [-1.0, -0.5, 0.0, 0.5, 1.0]
        told = [one["told_in_time"] for one in points]
        assert told[0] >= told[-1]
    for one in found["shipped"].values():
        assert one["false_interval"][0] <= one["false_in_ten_minutes"] <= one["false_interval"][1]
        assert one["told_interval"][0] <= one["told_in_time"] <= one["told_interval"][1]


def test_what_persons_are_made_with_is_printed() -> None:
    told = printed("persons.py")
    for figure in ("faces of the inner split, far", "inner split, near", "between faces", "between views of a crop"):
        assert figure in told


@pytest.fixture
def persons(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("persons")


@pytest.mark.parametrize("part", ["held_out", "inner"])
def test_a_person_differs_less_from_itself_later_than_from_others(persons: ModuleType, part: str) -> None:
    read: dict[int, list[list[float]]] = {}
    shown = ""
    for event in persons.PersonStream(1, part).make(20):
        if isinstance(event, events.Shown):
            shown = event.expression
        elif isinstance(event, events.Reading) and shown == "neutral":
            read.setdefault(event.track, []).append(list(event.scores.values()))
    long = [np.log(np.maximum(rows, 1e-7)) for rows in read.values() if len(rows) > 20 * 15]
    assert len(long) > 10
    # Medians, for a mouth that talks looks like an expression for a third of the time.
    earlier = np.array([np.median(rows[: len(rows) // 2], axis=0) for rows in long])
    later = np.array([np.median(rows[len(rows) // 2 :], axis=0) for rows in long])
    apart = np.abs(earlier[:, np.newaxis] - later).mean(axis=-1)
    same = np.eye(len(long), dtype=bool)
    assert apart[same].mean() < 0.5 * apart[~same].mean()


def test_a_near_face_keeps_its_light_and_gets_other_noise(persons: ModuleType) -> None:
    near = importlib.import_module("readings").near
    looks = np.full((6, 5, 48, 48), 200, np.uint8)
    seen = near(looks, "inner").reshape(looks.shape).astype(float)
    assert np.array_equal(near(looks, "inner").reshape(looks.shape), seen)
    light = seen.mean(axis=(2, 3)) / 200
    assert ((light > 0.49) & (light < 0.91)).all()
    assert light.std(axis=0).max() < 0.01 < light.std(axis=1).min()
    # Blocks of two pixels and more are averaged: less noise than the 5 levels of one pixel.
    noise = (seen[1:] - seen[:-1]).std() / 2**0.5
    assert 1.5 < noise < 3.5


def test_persons_stand_near_or_far_and_nearer_ones_are_read_with_less_noise(persons: ModuleType) -> None:
    near, far = (persons.faces("inner", camera).noise.std() for camera in ("near", "far"))
    assert near < 0.75 * far


def test_another_seed_gives_another_stream_of_persons(persons: ModuleType) -> None:
    first, again, other = (persons.PersonStream(seed).make(1) for seed in (1, 1, 2))
    assert first == again
    assert first != other


def test_the_page_of_boards_is_what_its_script_writes(tmp_path: Path) -> None:
    page = BENCHMARKS.parent / "docs" / "boards.md"
    before = page.read_text()
    printed("boards.py")
    assert page.read_text() == before


def test_the_model_of_the_board_says_what_is_missing(tmp_path: Path) -> None:
    command = [sys.executable, str(BENCHMARKS / "board_model.py"), "--made", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].endswith("run benchmarks/a53/prepare.sh first")


def test_what_the_policy_costs_is_measured() -> None:
    told = printed("policy.py", "--beats", "50")
    for figure in ("1 face: mean", "4 faces: mean", "explore, four faces"):
        assert figure in told


def test_the_policy_is_measured_on_readings_that_change(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    import policy

    first, second, *_ = beats = list(islice(policy.shown(4), 150))
    assert all(len(beat) == 4 for beat in beats)
    assert sum(one != other for one, other in zip(first, second, strict=True)) <= 2
    assert len({reading for beat in beats for reading in beat}) > 20


@pytest.mark.skipif(
    not (shutil.which("aplay") and shutil.which("espeak-ng")), reason="alsa-utils and espeak-ng are not both installed"
)
def test_how_long_cues_and_presses_take_is_measured() -> None:
    told = printed("cue_latency.py", "--cues", "3")
    for figure in ("to first sound", "to light, alone", "sound card that hangs", "press to light"):
        assert figure in told


@pytest.fixture
def verdict(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(BENCHMARKS.parent))
    return importlib.import_module("benchmarks.soak.verdict")


@pytest.mark.parametrize(
    ("grown", "figure", "word"),
    [
        ({}, "memory of its own", "flat"),
        ({"own": 1.019}, "memory of its own", "flat"),
        ({"own": 1.03}, "memory of its own", "NOT FLAT"),
        # The kernel takes pages of files back.
        ({"files": 2.0, "rss": 2.0, "pss": 2.0}, "pages of files", "not judged"),
        ({"descriptors": 13 / 12}, "descriptors", "NOT FLAT"),
        ({"threads": 2.0}, "threads", "NOT FLAT"),
    ],
)
def test_what_grows_in_a_soak_is_called_so(
    verdict: ModuleType, grown: dict[str, float], figure: str, word: str
) -> None:
    """A life of twenty minutes, whose second half takes more."""
    base = {"rss": 70_000, "pss": 50_000, "own": 45_000, "files": 25_000}
    base |= {"descriptors": 12, "threads": 15, "zombies": 0}

    def calm(number: int) -> object:
        took = {name: round(value * (grown.get(name, 1.0) if number > 30 else 1.0)) for name, value in base.items()}
        return verdict.Calm(
            number * 20.0, number * 300, importlib.import_module("benchmarks.soak.glasses").Figures(**took), 300.0
        )

    rows = verdict.lines([calm(number) for number in range(60)], np.full(9000, 5, np.float32))
    words = {row.name: row.verdict for row in rows}
    assert words.pop(figure) == word
    assert set(words.values()) <= {"flat", "not judged"}


def test_a_zombie_is_not_flat_and_a_short_life_judges_no_memory(verdict: ModuleType) -> None:
    figures = importlib.import_module("benchmarks.soak.glasses").Figures
    calms = [
        verdict.Calm(0.0, 0, figures(80_000, 60_000, 50_000, 30_000, 12, 15, 0), 300.0),
        verdict.Calm(20.0, 300, figures(99_000, 79_000, 69_000, 30_000, 12, 15, 1), 300.0),
    ]
    words = {row.name: row.verdict for row in verdict.lines(calms, np.full(300, 5, np.float32))}
    assert words["zombies"] == "NOT FLAT"
    assert words["memory of its own"] == "not judged"


def test_memory_of_its_own_is_told_from_pages_of_files(verdict: ModuleType, tmp_path: Path) -> None:
    """A process that takes 8 MB, and reads a file of 24 MB through its memory."""
    file = tmp_path / "file"
    file.write_bytes(bytes(24 << 20))
    reads = f"""import mmap, sys
own, file = bytearray(8 << 20), open({str(file)!r}, "rb")
pages = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
sys.stdin.readline()
sum(pages[::4096])
own[:] = b"1" * len(own)
print(flush=True)
sys.stdin.readline()"""
    figures = importlib.import_module("benchmarks.soak.glasses").figures
    with subprocess.Popen([sys.executable, "-c", reads], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"\n")
        process.stdin.flush()
        process.stdout.readline()
        took = figures(process.pid)
        process.stdin.write(b"\n")
        process.stdin.flush()
    assert 8 << 10 <= took.own < 24 << 10
    assert took.files >= 24 << 10


@pytest.mark.slow
def test_the_glasses_endure_a_short_soak() -> None:
    pytest.importorskip("gpiozero", reason="the glasses' light is on mock pins")
    pytest.importorskip("uvicorn", reason="the page comes with the extra web")
    command = [sys.executable, "-m", "benchmarks.soak", "--seconds", "20"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=BENCHMARKS.parent, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    for told in (
        r"\b[1-9]\d* killed",
        "1 status 70",
        "the story is whole",
        "resident memory",
        "not judged",
        "descriptors",
        "flat",
    ):
        assert re.search(told, done.stdout), told
