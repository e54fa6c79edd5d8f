import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from cuelens_models.command import install

Command = Callable[..., subprocess.CompletedProcess[str]]
TUNE = "cuelens_models.commands.tune"

# Keras saves its variables through h5py, which asks them for an array in the way of numpy 1.
# KerasTuner asks threads for their names in an old way.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions_eagerly`:UserWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:(currentThread|getName|setDaemon|isDaemon):DeprecationWarning"),
]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("four-class", "--data", "x"),
        ("four-class", "--data", "x", "--out", "y", "--trials", "0"),
        ("four-class", "--data", "x", "--out", "y", "--epochs", "0"),
        ("four-class", "--data", "x", "--out", "y", "--search", "luck"),
        ("four-class", "--data", "x", "--out", "y", "--seed", "-1"),
    ],
)
def test_wrong_usage_ends_with_2(run_here: Command, arguments: tuple[str, ...]) -> None:
    ended = run_here(TUNE, *arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith("usage: tune-model")


def test_an_unknown_recipe_ends_with_3(run_here: Command, synthetic_npz: Path, tmp_path: Path) -> None:
    ended = run_here(TUNE, "resnet", "--data", synthetic_npz, "--out", tmp_path)
    assert ended.returncode == 3
    assert ended.stderr.startswith("tune-model: recipe 'resnet' is unknown: use one of vgg-blocks,")


def test_a_missing_extra_ends_with_3_and_names_it(command: Command, synthetic_npz: Path, tmp_path: Path) -> None:
    without = "import sys; sys.modules['keras_tuner'] = None"
    pytest.importorskip("keras", reason="searching needs the extra train")
    ended = command(TUNE, "four-class", "--data", synthetic_npz, "--out", tmp_path, before=without)
    assert ended.returncode == 3
    assert ended.stderr == f"tune-model: keras-tuner is not installed: run `{install('train')}`\n"


@pytest.mark.usefixtures("eager")
def test_a_search_ends_with_a_table_and_its_best_trains(run_here: Command, synthetic_npz: Path, tmp_path: Path) -> None:
    pytest.importorskip("keras_tuner", reason="searching needs the extra train")
    pytest.importorskip("rich", reason="searching needs the extra train")
    faces = ("--data", synthetic_npz)
    few = ("--epochs", 1, "--trials", 2, "--search", "random")
    ended = run_here(TUNE, "vgg-blocks-1", *faces, "--out", tmp_path / "tuned", *few)
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    head = lines.index("inner split  rate     batch  movement  trial")
    assert len(lines) == head + 4
    best = tmp_path / "tuned" / "best.json"
    train = ("cuelens_models.commands.train", "vgg-blocks-1", *faces, "--tuned", best, "--epochs", 1)
    trained = run_here(*train, "--out", tmp_path / "run")
    assert (trained.returncode, trained.stderr) == (0, "")
    assert (tmp_path / "run" / "vgg-blocks-1.keras").exists()


@pytest.mark.usefixtures("eager")
def test_a_trial_that_cannot_be_written_ends_the_search_with_3(
    run_here: Command, synthetic_npz: Path, tmp_path: Path
) -> None:
    pytest.importorskip("keras_tuner", reason="searching needs the extra train")
    pytest.importorskip("rich", reason="searching needs the extra train")
    for number in ("0", "00", "000"):
        (tmp_path / f"trial-{number}").touch()
    few = ("--epochs", 1, "--trials", 2, "--search", "random")
    ended = run_here(TUNE, "vgg-blocks-1", "--data", synthetic_npz, "--out", tmp_path, *few)
    assert ended.returncode == 3
    (line,) = ended.stderr.splitlines()
    assert "cannot be written to" in line
