"""The examples run as they stand, and print what they show."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
CASES = [
    pytest.param("add_a_camera", [], "looks happy, by light", id="add_a_camera"),
    pytest.param("add_a_language", [], "happy: aspektas ĝoja\n", id="add_a_language"),
    pytest.param("add_a_mode", [], "happy, by light", id="add_a_mode"),
    pytest.param("blink_a_cue", ["gpiozero"], "fade in #F0E442 for 1.5 s", id="blink_a_cue"),
    pytest.param("classify_photograph", [], "looks happy", id="classify_photograph"),
    pytest.param(
        "convert_a_network", ["tensorflow", "tf_keras"], "mine.tflite: ", id="convert_a_network", marks=pytest.mark.slow
    ),
    pytest.param("draw_confusion", ["matplotlib"], "happy: 10 read as happy\n", id="draw_confusion"),
    pytest.param("follow_a_face", [], "face 2 went", id="follow_a_face"),
    pytest.param("read_a_contract", [], "out: happy, believed from", id="read_a_contract"),
    pytest.param("replay_with_another_profile", [], "face 1: a smile (light)", id="replay_with_another"),
]


@pytest.mark.parametrize(("script", "extras", "expected"), CASES)
def test_an_example_prints_what_it_shows(script: str, extras: list[str], expected: str, tmp_path: Path) -> None:
    missing = [name for name in extras if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"{script} needs {' and '.join(missing)}")
    command = [sys.executable, str(EXAMPLES / f"{script}.py")]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=tmp_path, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert expected in done.stdout


def test_every_example_is_run_and_has_its_line() -> None:
    scripts = sorted(file.stem for file in EXAMPLES.glob("*.py"))
    assert scripts == [case.values[0] for case in CASES]
    lines = (EXAMPLES / "README.md").read_text().splitlines()
    for script in scripts:
        assert sum(line.startswith(f"- [{script}.py]({script}.py): ") for line in lines) == 1
