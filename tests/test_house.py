"""The rules of the house (docs/design.md, section 2), each as a test."""

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

BLOCKER = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {blocked!r}:
            raise ImportError(f"{{name}} is blocked")
sys.meta_path.insert(0, Block())
"""
EDGE = {
    "picamera2": "cuelens/adapters/picamera.py",
    "libcamera": "cuelens/adapters/picamera.py",
    "gpiozero": "cuelens/adapters/gpio.py",
    "lgpio": "nowhere: gpiozero imports it",
    "pyttsx3": "cuelens/adapters/pyttsx3_child.py",
    "soundfile": "cuelens/sound/compressed.py",
}
NETWORK = {"http", "urllib", "requests", "httpx", "ftplib", "smtplib", "asyncio", "aiohttp"}


def folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0])


def modules(package: str) -> list[Path]:
    return sorted(folder(package).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Every module that a file imports, anywhere in it, as written."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def tops(path: Path) -> set[str]:
    return {name.partition(".")[0] for name in imported(path)}


def importable(*names: str, blocked: set[str]) -> subprocess.CompletedProcess[str]:
    code = BLOCKER.format(blocked=sorted(blocked)) + "".join(f"import {name}\n" for name in names)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def names_of(package: str) -> list[str]:
    root = folder(package)
    found = [path.relative_to(root.parent).with_suffix("") for path in modules(package)]
    return [".".join(path.parts).removesuffix(".__init__") for path in found if path.stem != "__main__"]


def test_the_glasses_and_the_ground_floor_need_no_tensorflow() -> None:
    # `demo_picture` is the demo's, and draws with matplotlib.
    # The page comes with the extra web.
    names = [
        name
        for name in names_of("cuelens")
        if name != "cuelens.commands.demo_picture" and not name.startswith("cuelens.page")
    ]
    names += [name for name in names_of("cuelens_models") if name.startswith("cuelens_models.bundle")]
    assert len(names) > 40
    done = importable(*names, blocked={"tensorflow", "keras", "tf_keras", "rich", "matplotlib", "skimage", *EDGE})
    assert done.returncode == 0, done.stderr


def test_the_page_needs_nothing_that_sees() -> None:
    pytest.importorskip("starlette", reason="the page comes with the extra web")
    names = [name for name in names_of("cuelens") if name.startswith("cuelens.page")]
    assert len(names) > 20
    done = importable(*names, blocked={"numpy", "cv2", "ai_edge_litert", "tflite_runtime", "PIL", *EDGE})
    assert done.returncode == 0, done.stderr


def test_a_start_loads_nothing_that_only_a_later_request_needs() -> None:
    late = {
        *("_hashlib", "csv", "difflib", "logging", "soundfile", "sqlite3", "statistics", "subprocess", "termios"),
        *("cuelens.commands.caregiver", "cuelens.link.server", "cuelens.sound.recording", "cuelens.story.store"),
    }
    code = (
        "import sys, cv2, msgspec, numpy; before = set(sys.modules)\n"
        f"import cuelens.cli, cuelens.commands.run; print(*sorted({late!r} & set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_reading_a_contract_needs_numpy_and_msgspec_only() -> None:
    done = importable(
        "cuelens_models.bundle.file",
        "cuelens_models.bundle.expressions",
        blocked={"cv2", "ai_edge_litert", "tflite_runtime", "tensorflow", "keras"},
    )
    assert done.returncode == 0, done.stderr


def test_the_models_package_is_empty_at_its_root() -> None:
    assert (folder("cuelens_models") / "__init__.py").read_text() == ""


@pytest.mark.parametrize(
    ("package", "stranger"),
    [
        ("cuelens", "cuelens_convert"),
        ("cuelens_convert", "cuelens"),
        ("cuelens_models", "cuelens"),
        ("cuelens_models", "cuelens_convert"),
    ],
)
def test_the_rooms_do_not_know_each_other(package: str, stranger: str) -> None:
    assert [path for path in modules(package) if stranger in tops(path)] == []


def test_the_glasses_use_nothing_of_the_models_but_the_ground_floor() -> None:
    allowed = (
        "cuelens_models.bundle",
        "cuelens_models.errors",
        "cuelens_models.command",
        "cuelens_models.quiet",
        "cuelens_models.atomic_file",
        "cuelens_models.strict_struct",
        "cuelens_models.regular_file",
        "cuelens_models.sha256",
        "cuelens_models.version",
    )
    for path in modules("cuelens"):
        used = {name for name in imported(path) if name.startswith("cuelens_models")} - {
            "cuelens_models",
            "cuelens_models.command",
        }
        assert {name for name in used if not name.startswith(allowed)} == set(), path


@pytest.mark.parametrize(("library", "home"), EDGE.items())
def test_hardware_is_imported_in_its_own_adapter_only(library: str, home: str) -> None:
    users = [
        path
        for package in ("cuelens", "cuelens_models", "cuelens_convert")
        for path in modules(package)
        if library in tops(path)
    ]
    assert all(str(path).endswith(home) for path in users)
    assert users or home.startswith("nowhere")


def test_the_glasses_open_no_connection() -> None:
    for path in modules("cuelens"):
        if "page" in path.parts:
            # It serves a phone, and asks nobody but the glasses.
            clients = {"http", "requests", "httpx", "httpx2", "ftplib", "smtplib", "aiohttp"}
            assert tops(path) & clients == set(), path
            assert "urllib.request" not in imported(path), path
            assert "open_connection" not in path.read_text(), path
            continue
        assert tops(path) & NETWORK == set(), path
        if "socket" in tops(path):
            source = path.read_text()
            assert "AF_UNIX" in source
            assert "AF_INET" not in source


def test_the_glasses_write_no_pixels() -> None:
    writers = ("imwrite", "imencode", "VideoWriter", "np.save", "tofile", "savefig")
    found = {path.name for path in modules("cuelens") for writer in writers if writer in path.read_text()}
    # The demo's picture shows what ships; the bench starts a process on one even grey picture that it makes.
    # A calibration encodes in memory what a caregiver sees who aims the camera.
    assert found == {"demo_picture.py", "bench.py", "calibration.py"}
    (encoder,) = (path.read_text() for path in modules("cuelens") if path.name == "calibration.py")
    assert not any(word in encoder for word in ("imwrite", "open(", "write"))


def test_pixels_become_model_input_in_one_place() -> None:
    """Resizing to the input and dividing by a scale stand nowhere but in `preprocess`."""
    users = [
        path.name
        for package in ("cuelens", "cuelens_convert", "cuelens_models")
        for path in modules(package)
        if "zero_point" in path.read_text() and "np.rint" in path.read_text()
    ]
    assert users == ["preprocess.py"]


def test_files_tell_one_story() -> None:
    long = {
        path.name: n
        for p in ("cuelens", "cuelens_models", "cuelens_convert")
        for path in modules(p)
        if (n := len(path.read_text().splitlines())) > 330
    }
    assert long == {}
    forbidden = {"utils", "helpers", "common", "misc", "base", "cuelens"}
    named = {path.stem for p in ("cuelens", "cuelens_convert") for path in modules(p)}
    assert named & forbidden == set()


def calls(node: ast.AST) -> set[str]:
    """The names of all functions that are called in a piece of code."""
    called = (part.func for part in ast.walk(node) if isinstance(part, ast.Call))
    return {part.attr if isinstance(part, ast.Attribute) else getattr(part, "id", "") for part in called}


def asserts(function: ast.AST, helpers: set[str]) -> bool:
    """Whether a function asserts or raises something, or calls what does."""
    called = calls(function)
    itself = any(isinstance(node, ast.Assert | ast.Raise) for node in ast.walk(function))
    return itself or bool(called & {"raises", *helpers}) or any(name.startswith("assert_") for name in called)


def test_every_test_asserts_something() -> None:
    trees = {path: ast.parse(path.read_text()) for path in Path(__file__).parent.rglob("*.py")}
    functions = [
        (path, node) for path, tree in trees.items() for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)
    ]
    # What a file may call: its own functions, fixtures, and the modules that tests share.
    shared = {path for path in trees if not path.stem.startswith("test_")}
    helpers: dict[Path, set[str]] = {path: set() for path in trees}
    while True:
        found = 0
        for path, node in functions:
            if not node.name.startswith("test_") and node.name not in helpers[path] and asserts(node, helpers[path]):
                for reader in trees if path in shared else [path]:
                    helpers[reader].add(node.name)
                found += 1
        if not found:
            break
    tests = [(path, node) for path, node in functions if node.name.startswith("test_")]
    assert len(tests) > 1000
    assert [f"{path.name}: {node.name}" for path, node in tests if not asserts(node, helpers[path])] == []
