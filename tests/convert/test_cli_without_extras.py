import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cuelens_models.bundle.file import SHIPPED


@pytest.mark.parametrize("missing", ["tensorflow", "keras"])
def test_a_missing_extra_ends_with_3_and_names_it(
    command: Callable[..., subprocess.CompletedProcess[str]], synthetic_npz: Path, tmp_path: Path, missing: str
) -> None:
    without = f"import sys; sys.modules[{missing!r}] = None"
    source = SHIPPED.with_suffix(".keras")
    ended = command("cuelens_convert.cli", source, "--data", synthetic_npz, "-o", tmp_path / "x.tflite", before=without)
    assert (ended.returncode, ended.stdout) == (3, "")
    (line,) = ended.stderr.splitlines()
    assert line.endswith("is not installed: run `pip install 'cuelens[convert]'`")
    assert list(tmp_path.iterdir()) == []
