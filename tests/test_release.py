"""What a release needs: each check passes on this tree, and misses what is taken away from a copy of it."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from cuelens_models.version import __version__

ROOT = Path(__file__).resolve().parents[1]
SCRIPTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
BUILT = ("build", "contents", "size", "licences")


@pytest.mark.parametrize(("name", "place"), SCRIPTS.items())
def test_every_command_says_its_version(
    command: Callable[..., subprocess.CompletedProcess[str]], name: str, place: str
) -> None:
    ended = command(place.removesuffix(":main"), "--version")
    assert (ended.returncode, ended.stdout) == (0, f"{name} (cuelens) {__version__}\n"), ended.stderr


def test_the_newest_version_in_the_changelog_is_that_of_the_tree() -> None:
    headings = re.findall(r"^## \[(.+)\](?: - \d{4}-\d\d-\d\d)?$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert headings[:2] == ["Unreleased", __version__]


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository of its own with the files of this tree, as if it were to be released."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("this is no checkout: git knows none of its files")
    folder = tmp_path_factory.mktemp("release") / "original"
    for name in filter(None, listed.stdout.split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    changes = folder / "CHANGELOG.md"
    # Between releases something is under [Unreleased].
    changes.write_text(
        re.sub(r"(?s)## \[Unreleased\].*?(?=## \[)", "## [Unreleased]\n\n", changes.read_text("utf-8")), "utf-8"
    )
    git(folder, "init", "--quiet")
    commit(folder)
    return folder


@pytest.fixture
def copy(original: Path, tmp_path: Path) -> Path:
    git(tmp_path, "clone", "--quiet", str(original), "copy")
    return tmp_path / "copy"


def git(folder: Path, *words: str) -> None:
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=folder, check=True)


def commit(folder: Path) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "a change")


def change(folder: Path, file: str, old: str, new: str) -> None:
    text = (folder / file).read_text("utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), "utf-8")


def checked(folder: Path, *names: str) -> tuple[int, list[str]]:
    """Run some checks in a repository; return the exit status and what is missing."""
    words = [sys.executable, str(folder / "tools" / "release.py"), "--only", *names]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.stderr == ""
    lines = done.stdout.splitlines()
    assert [line[2:].split()[0] for line in lines if line[0] in "✓✗"] == list(names)
    return done.returncode, [line.strip() for line in lines if line.startswith("    ")]


@pytest.mark.slow
def test_a_tree_that_is_ready_lacks_nothing(copy: Path) -> None:
    pytest.importorskip("hatchling", reason="it builds the wheel, and comes with the extra dev")
    assert checked(copy, "tree", "version", "tag", *BUILT) == (0, [])
    names = {path.name for path in (copy / "build" / "release").iterdir()}
    assert names == {f"cuelens-{__version__}-py3-none-any.whl", f"cuelens-{__version__}.tar.gz"}
    assert checked(copy, "checksums") == (1, ["there is no bill of materials"])
    (copy / "build" / "release" / f"cuelens-{__version__}.cdx.json").write_text("{}")
    assert checked(copy, "checksums") == (0, [])
    sums = ["sha256sum", "--check", "--quiet", "--strict", "SHA256SUMS"]
    assert subprocess.run(sums, cwd=copy / "build" / "release", check=False).returncode == 0


def _dirty(copy: Path) -> None:
    (copy / "NOTICE").write_text("")
    (copy / "stray").touch()


def _other_version(copy: Path) -> None:
    change(copy, "models/cuelens_models/version.py", __version__, "7.0.0")


def _no_version(copy: Path) -> None:
    change(copy, "models/cuelens_models/version.py", __version__, "1.0")
    change(copy, "CHANGELOG.md", f"[{__version__}]", "[1.0]")


def _unreleased(copy: Path) -> None:
    change(copy, "CHANGELOG.md", "## [Unreleased]\n", "## [Unreleased]\n\n- Something new.\n")


def _day(day: str) -> Callable[[Path], None]:
    def apply(copy: Path) -> None:
        text = (copy / "CHANGELOG.md").read_text("utf-8")
        (copy / "CHANGELOG.md").write_text(
            re.sub(rf"\[{re.escape(__version__)}\] - .*", f"[{__version__}]{day}", text), "utf-8"
        )

    return apply


def _tagged(copy: Path) -> None:
    git(copy, "tag", f"v{__version__}")


def _broken(target: str) -> Callable[[Path], None]:
    def apply(copy: Path) -> None:
        (copy / "Makefile").write_text(f"{target}:\n\t@echo all is broken; false\n")

    return apply


@pytest.mark.parametrize(
    ("name", "spoil", "missing"),
    [
        pytest.param("tree", _dirty, r"not committed:  M NOTICE\n.*: \?\? stray", id="dirty"),
        pytest.param("version", _other_version, rf"version.py says 7.0.0, and CHANGELOG.md {__version__}", id="other"),
        pytest.param("version", _no_version, r"version.py says 1.0: a version is such as 1.2.3.*", id="not semantic"),
        pytest.param("version", _unreleased, r"CHANGELOG.md has something under \[Unreleased\].*", id="unreleased"),
        pytest.param("version", _day(""), "CHANGELOG.md: None is no day such as .*", id="no day"),
        pytest.param("version", _day(" - 2926-01-01"), "CHANGELOG.md: 2926-01-01 is yet to come", id="the future"),
        pytest.param("tag", _tagged, rf"the tag v{__version__} is there already.*", id="tagged"),
        pytest.param("check", _broken("check"), r"make check failed: all is broken \|.*", id="check"),
        pytest.param("tests", _broken("test"), r"make test failed: all is broken \|.*", id="tests"),
        pytest.param("contents", lambda copy: None, r"there is no .tar.gz in .*: it was not built", id="not built"),
    ],
)
def test_what_is_missing_is_said(copy: Path, name: str, spoil: Callable[[Path], None], missing: str) -> None:
    spoil(copy)
    status, told = checked(copy, name)
    assert status == 1
    assert re.fullmatch(missing, "\n".join(told)), told


def _stray(copy: Path) -> None:
    (copy / "device" / "cuelens" / "stray.txt").touch()


def _kept_back(copy: Path) -> None:
    change(copy, "pyproject.toml", 'exclude = ["*.keras"]', 'exclude = ["*.keras", "page.js"]')
    commit(copy)


def _keras(copy: Path) -> None:
    change(copy, "pyproject.toml", 'exclude = ["*.keras"]\n', "")
    commit(copy)


def _poor_source(copy: Path) -> None:
    change(copy, "pyproject.toml", '"models", ', '"models/cuelens_models/version.py", ')
    commit(copy)


def _heavy(copy: Path) -> None:
    (copy / "device" / "cuelens" / "heavy.bin").write_bytes(os.urandom(4_000_000))
    commit(copy)


def _unnoticed(copy: Path) -> None:
    change(copy, "pyproject.toml", '"LICENSE", "NOTICE"', '"LICENSE"')
    change(copy, "NOTICE", "photographs/coffee.png", "coffee")
    commit(copy)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("spoil", "missing"),
    [
        pytest.param(
            _stray,
            [
                "the source distribution holds device/cuelens/stray.txt, which does not belong there",
                "the wheel holds cuelens/stray.txt, which does not belong there",
                "NOTICE does not say where cuelens/stray.txt comes from",
            ],
            id="a stray file",
        ),
        pytest.param(_kept_back, ["the wheel lacks cuelens/page/static/page.js"], id="a file left out"),
        pytest.param(
            _keras,
            [
                "the wheel holds cuelens_models/shipped/cuelens.keras, which does not belong there",
                "cuelens-.*.whl has 4.. MB, and may have 4",
            ],
            id="the network's source",
        ),
        pytest.param(
            _heavy,
            [
                "cuelens-.*.whl has 5.. MB, and may have 4",
                "cuelens-.*.tar.gz has 1[12].. MB, and may have 10",
                "NOTICE does not say where cuelens/heavy.bin comes from",
            ],
            id="too heavy",
        ),
        pytest.param(
            _unnoticed,
            [
                "the wheel's .dist-info lacks licenses/NOTICE",
                "NOTICE does not say where cuelens/adapters/photographs/coffee.png comes from",
            ],
            id="licences",
        ),
    ],
)
def test_what_the_wheel_lacks_or_has_too_much_of_is_said(
    copy: Path, spoil: Callable[[Path], None], missing: list[str]
) -> None:
    pytest.importorskip("hatchling", reason="it builds the wheel, and comes with the extra dev")
    spoil(copy)
    status, told = checked(copy, *BUILT)
    assert status == 1
    assert len(told) == len(missing), told
    for line, pattern in zip(told, missing, strict=True):
        assert re.fullmatch(pattern, line)


@pytest.mark.slow
def test_a_source_that_gives_another_wheel_is_said(copy: Path) -> None:
    pytest.importorskip("hatchling", reason="it builds the wheel, and comes with the extra dev")
    _poor_source(copy)
    status, told = checked(copy, "build")
    assert status == 1
    assert "cuelens_models/shipped/cuelens.tflite is in the wheel of the tree only" in told
