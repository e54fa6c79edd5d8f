"""The glasses have no TensorFlow, and a contract is read where there is no OpenCV and no runtime either."""

import ast
import subprocess
import sys
from pathlib import Path

import cuelens_models
import pytest

TRAINING = ("tensorflow", "keras", "rich", "sklearn")
RUNTIME = ("cv2", "ai_edge_litert", "tflite_runtime")


@pytest.mark.parametrize(
    ("absent", "statement"),
    [
        (TRAINING, "from cuelens_models.bundle import file, golden, interpreter, preprocess, scores"),
        (TRAINING, "from cuelens_models.bundle.interpreter import Interpreter; Interpreter(load()).check_golden()"),
        (TRAINING, "import cuelens_models.evaluate_cli, cuelens_models.train_cli"),
        ((*TRAINING, *RUNTIME), "print(load().contract.title())"),
    ],
)
def test_it_works_without_packages_it_has_no_need_of(absent: tuple[str, ...], statement: str) -> None:
    block = f"import sys\nfor name in {absent!r}: sys.modules[name] = None\n"
    load = "from cuelens_models.bundle import file\nload = lambda: file.load(file.SHIPPED)\n"
    ended = subprocess.run([sys.executable, "-c", block + load + statement], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_the_package_itself_imports_nothing() -> None:
    assert Path(cuelens_models.__file__ or "").read_text() == ""


def test_the_ground_floor_imports_no_other_room() -> None:
    for source in Path(cuelens_models.__file__ or "").parent.rglob("*.py"):
        for node in ast.walk(ast.parse(source.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert not {name.split(".")[0] for name in names} & {"cuelens", "cuelens_convert"}, source
