import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cuelens_models.bundle.file import SHIPPED

Command = Callable[..., subprocess.CompletedProcess[str]]
EVALUATE = "cuelens_models.evaluate_cli"
KERAS = SHIPPED.with_suffix(".keras")


@pytest.mark.parametrize(
    "arguments", [(), ("x.tflite",), ("--data", "x"), ("x.tflite", "--data", "x", "--protocol", "ferplus9")]
)
def test_wrong_usage_ends_with_2(command: Command, arguments: tuple[str, ...]) -> None:
    ended = command(EVALUATE, *arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith("usage: evaluate-model")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("absent.tflite", None, "cannot be read"),
        ("x.tflite", b"", "it is empty"),
        ("x.tflite", SHIPPED.read_bytes()[:200_000], "cut short"),
        ("x.tflite", b"a letter to the editor", "no TFLite file"),
        ("absent.keras", None, "does not exist"),
        ("x.keras", b"", "no .keras file"),
        ("x.keras", KERAS.read_bytes()[:500_000], "no .keras file"),
    ],
)
def test_a_model_that_cannot_be_used_ends_with_3_and_one_line(
    command: Command, synthetic_npz: Path, tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    ended = command(EVALUATE, tmp_path / name, "--data", synthetic_npz)
    assert (ended.returncode, ended.stdout) == (3, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("evaluate-model: ")
    assert words in line


@pytest.mark.parametrize("name", ["absent", "x.npz", "x.txt"])
def test_data_that_cannot_be_used_ends_with_3_and_one_line(command: Command, tmp_path: Path, name: str) -> None:
    if name != "absent":
        (tmp_path / name).write_text("a letter")
    ended = command(EVALUATE, SHIPPED, "--data", tmp_path / name)
    assert (ended.returncode, ended.stdout) == (3, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"evaluate-model: {tmp_path / name} ")


def test_a_missing_extra_ends_with_3_and_names_it(command: Command, synthetic_npz: Path) -> None:
    without = "import sys; sys.modules['keras'] = None"
    ended = command(EVALUATE, KERAS, "--data", synthetic_npz, before=without)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr == "evaluate-model: keras is not installed: run `pip install 'cuelens[train]'`\n"


def test_figures_are_printed_for_people_and_as_json(command: Command, synthetic_npz: Path) -> None:
    shown = command(EVALUATE, SHIPPED, "--data", synthetic_npz)
    figures = command(EVALUATE, SHIPPED, "--data", synthetic_npz, "--json", "--protocol", "ferplus8")
    for ended in (shown, figures):
        assert (ended.returncode, ended.stderr) == (0, "")
    found = json.loads(figures.stdout)
    assert list(found) == ["protocol", "images", "accuracy", "macro_f1", "recall", "ece", "coverage"]
    assert list(found["coverage"]) == ["0.2", "0.4", "0.6", "0.8", "1"]
    assert (found["protocol"], found["images"]) == ("ferplus8 on publictest", 120)
    assert shown.stdout.startswith("ferplus8 on publictest, 120 images\n")
    assert f"accuracy {found['accuracy']:.2%}" in shown.stdout
