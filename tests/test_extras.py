"""What is not installed is told in one sentence, with the command that installs it: every extra of every command."""

import subprocess
import sys
from pathlib import Path

import pytest

from cuelens_models.bundle.file import SHIPPED
from cuelens_models.command import install

HIDING = """
import importlib, sys
from importlib.machinery import PathFinder

class Without(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {hidden!r} else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Without
sys.argv = {words!r}
sys.exit(importlib.import_module({module!r}).main())
"""
OURS = Path(__file__).resolve().parents[1] / "models" / "cuelens_models" / "shipped" / "cuelens.keras"
TRAIN = [
    "keras",
    "tensorflow",
    "rich",
    "skimage",
    "matplotlib",
    "jinja2",
    "keras_tuner",
    "tensorboard",
    "sklearn",
    "cleanlab",
    "tf_keras",
]
PI = ["gpiozero", "lgpio", "pyttsx3", "soundfile", "picamera2", "libcamera"]
WEB = ["starlette", "uvicorn", "jinja2", "segno", "anyio"]


def run(module: str, *words: object, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command where no extra is installed."""
    hidden = [*TRAIN, *PI, *WEB]
    code = HIDING.format(hidden=hidden, words=[module, *map(str, words)], module=module)
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={"HOME": str(folder), "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("module", "words", "package", "extra"),
    [
        pytest.param("cuelens.cli", ("demo", "-o", "demo.png"), "matplotlib", "demo", id="the demo's picture"),
        pytest.param("cuelens.cli", ("run", "--source", "demo", "--cues", "light"), "gpiozero", "pi", id="a light"),
        pytest.param("cuelens.cli", ("calibrate",), "starlette", "web", id="the page"),
        pytest.param("cuelens.page.__main__", (), "anyio", "web", id="the page alone"),
        pytest.param(
            "cuelens.cli",
            ("access-point", "--connections", ".", "--card", "."),
            "segno",
            "web",
            id="the page's network",
        ),
        pytest.param("cuelens_models.commands.train", ("cuelens", "--out", "runs"), "keras", "train", id="training"),
        pytest.param("cuelens_models.commands.tune", ("elu-6", "--out", "runs"), "keras-tuner", "train", id="a search"),
        pytest.param("cuelens_models.commands.audit", ("--out", "runs"), "cleanlab", "train", id="an audit"),
        pytest.param("cuelens_models.commands.evaluate", (OURS,), "keras", "train", id="evaluation of a .keras"),
        pytest.param(
            "cuelens_models.commands.evaluate", (SHIPPED, "--report", "r.html"), "jinja2", "train", id="a report"
        ),
        pytest.param("cuelens_convert.cli", (OURS, "-o", "x.tflite"), "keras", "convert", id="conversion"),
        pytest.param(
            "cuelens_convert.cli", (OURS, "-o", "x.tflite", "--report", "r"), "jinja2", "convert", id="its report"
        ),
    ],
)
def test_a_missing_extra_is_one_sentence(
    tmp_path: Path, synthetic_npz: Path, module: str, words: tuple[object, ...], package: str, extra: str
) -> None:
    if module.startswith(("cuelens_models", "cuelens_convert")):
        words = (synthetic_npz, *words) if module.endswith("audit") else (*words, "--data", synthetic_npz)
    ended = run(module, *words, folder=tmp_path)
    assert ended.returncode == 3, ended.stderr
    (line,) = ended.stderr.splitlines()
    assert line.partition(": ")[2] == f"{package} is not installed: run `{install(extra)}`"
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_what_needs_no_extra_works_without_any(tmp_path: Path) -> None:
    ended = run("cuelens.cli", "demo", "--as-fast", "--seconds", "4", folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "a face" in ended.stdout
    assert f"no picture of the session: matplotlib is not installed: run `{install('demo')}`" in ended.stdout
