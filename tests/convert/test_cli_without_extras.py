import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cuelens_models.command import install

KERAS = Path(__file__).resolve().parents[2] / "models" / "cuelens_models" / "shipped" / "cuelens.keras"


@pytest.mark.parametrize("missing", ["tensorflow", "keras"])
def test_a_missing_extra_ends_with_3_and_names_it(
    command: Callable[..., subprocess.CompletedProcess[str]], synthetic_npz: Path, tmp_path: Path, missing: str
) -> None:
    without = f"import sys; sys.modules[{missing!r}] = None"
    ended = command("cuelens_convert.cli", KERAS, "--data", synthetic_npz, "-o", tmp_path / "x.tflite", before=without)
    assert (ended.returncode, ended.stdout) == (3, "")
    (line,) = ended.stderr.splitlines()
    assert line.endswith(f"is not installed: run `{install('convert')}`")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("missing", ["jinja2", "matplotlib"])
def test_a_report_without_its_packages_ends_before_the_conversion(
    command: Callable[..., subprocess.CompletedProcess[str]], synthetic_npz: Path, tmp_path: Path, missing: str
) -> None:
    if missing == "matplotlib":
        pytest.importorskip("jinja2", reason="it is looked for first, and comes with the extra convert")
    without = f"import sys; sys.modules[{missing!r}] = None; sys.modules['tensorflow'] = None"
    words = ("--data", synthetic_npz, "-o", tmp_path / "x.tflite", "--report", tmp_path / "page")
    ended = command("cuelens_convert.cli", KERAS, *words, before=without)
    assert (ended.returncode, ended.stdout) == (3, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith(f"convert-model: {missing} is not installed: ")
    assert list(tmp_path.iterdir()) == []
