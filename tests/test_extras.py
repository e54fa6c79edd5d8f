"""What is not installed is told in one sentence, with the command that installs it: every extra of every command."""

import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pytest

from cuelens_models import command
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


def run(
    module: str, *words: object, folder: Path, hidden: Sequence[str] = (*TRAIN, *PI, *WEB)
) -> subprocess.CompletedProcess[str]:
    """Run a command where no extra is installed, or some packages are not."""
    code = HIDING.format(hidden=list(hidden), words=[module, *map(str, words)], module=module)
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


COMMANDS = {
    "train-model cuelens": ("cuelens_models.commands.train", ("cuelens", "--out", "out"), "train"),
    "train-model elu-6": ("cuelens_models.commands.train", ("elu-6", "--out", "out"), "train"),
    "tune-model": ("cuelens_models.commands.tune", ("elu-6", "--out", "out"), "train"),
    "audit-data": ("cuelens_models.commands.audit", ("--out", "out"), "train"),
    "evaluate-model --report": ("cuelens_models.commands.evaluate", (SHIPPED, "--report", "page.html"), "train"),
    "convert-model": ("cuelens_convert.cli", (OURS, "-o", "x.tflite"), "convert"),
    "convert-model --report": ("cuelens_convert.cli", (OURS, "-o", "x.tflite", "--report", "page"), "convert"),
    "convert-model A B": ("cuelens_convert.cli", (OURS, OURS.with_name("b.keras"), "-o", "out"), "convert"),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "packages"),
    [
        ("train-model cuelens", ("keras", "rich", "skimage")),
        ("train-model elu-6", ("keras", "rich")),
        ("tune-model", ("keras", "rich", "keras_tuner", "tensorboard", "sklearn")),
        ("audit-data", ("keras", "rich", "cleanlab", "sklearn", "matplotlib")),
        ("evaluate-model --report", ("jinja2", "matplotlib")),
        ("convert-model", ("keras", "rich", "tensorflow")),
        ("convert-model --report", ("jinja2", "matplotlib")),
        ("convert-model A B", ("keras", "rich", "tensorflow")),
    ],
)
def test_a_missing_package_is_named_before_the_data_are_read(
    tmp_path: Path, name: str, packages: tuple[str, ...]
) -> None:
    module, words, extra = COMMANDS[name]
    (tmp_path / "faces.npz").write_text("no faces: whoever reads this file says so")
    words = ("faces.npz", *words) if module.endswith("audit") else (*words, "--data", "faces.npz")
    for package in packages:
        # What is looked for before it must be there, here too.
        others = [other for other in packages if other != package and find_spec(other) is None]
        if others:
            pytest.skip(f"{others[0]} is not installed either")
        ended = run(module, *words, folder=tmp_path, hidden=[package])
        assert (ended.returncode, ended.stdout) == (3, "")
        (line,) = ended.stderr.splitlines()
        assert line.partition(": ")[2] == str(command.require(package, extra))
    assert [path.name for path in tmp_path.iterdir()] == ["faces.npz"]


def test_what_needs_no_extra_works_without_any(tmp_path: Path) -> None:
    ended = run("cuelens.cli", "demo", "--as-fast", "--seconds", "4", folder=tmp_path)
    assert ended.returncode == 0, ended.stderr
    assert "a face" in ended.stdout
    assert f"no picture of the session: matplotlib is not installed: run `{install('demo')}`" in ended.stdout
