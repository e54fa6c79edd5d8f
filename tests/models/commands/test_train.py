import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cuelens_models.command import install
from cuelens_models.zoo.recipe import OwnRecipe

Command = Callable[..., subprocess.CompletedProcess[str]]
TRAIN = "cuelens_models.commands.train"

# Keras saves its variables through h5py, which asks them for an array in the way of numpy 1.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Even though the `tf.config.experimental_run_functions_eagerly`:UserWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
]


@pytest.fixture
def train_small(
    run_here: Command, small_recipes: dict[str, OwnRecipe], eager: None, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs train-model in this process, with small networks for our recipes."""
    pytest.importorskip("keras", reason="training needs the extra train")
    pytest.importorskip("rich", reason="training needs the extra train")
    from cuelens_models.train import distilled

    for name, recipe in small_recipes.items():
        monkeypatch.setitem(distilled.RECIPES, name, recipe)
    return lambda *arguments: run_here(TRAIN, *arguments)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("cuelens",),
        ("cuelens", "--data", "x"),
        ("cuelens", "--out", "x"),
        ("cuelens", "--data", "x", "--out", "y", "--epochs", "0"),
        ("cuelens", "--data", "x", "--out", "y", "--epochs", "many"),
        ("cuelens", "--data", "x", "--out", "y", "--seed", "-1"),
        ("cuelens", "--data", "x", "--out", "y", "--seed", "99999999999999"),
        ("cuelens", "--data", "x", "--out", "y", "--colour"),
        ("cuelens", "--data", "x", "--out", "y", "--teachers", "-1"),
        ("cuelens", "--data", "x", "--out", "y", "--budget", "0"),
        ("cuelens", "--data", "x", "--out", "y", "--budget", "nan"),
        ("cuelens", "--data", "x", "--out", "y", "--precision", "int3"),
        ("cuelens", "--data", "x", "--out", "y", "--strategy", "alone"),
        ("cuelens", "--data", "x", "--out", "y", "--strategy", "mirrored", "--budget", "3"),
        ("cuelens", "teacher", "--data", "x", "--out", "y"),
        ("elu-6", "--data", "x", "--out", "y", "--teachers", "1"),
        ("elu-6", "--data", "x", "--out", "y", "--taught-by", "z.keras"),
        ("elu-6", "--data", "x", "--out", "y", "--begin", "z.keras"),
        ("elu-6", "--data", "x", "--out", "y", "--besides", "z.npz"),
        ("teacher", "--data", "x", "--out", "y", "--begin", "z.keras"),
        ("cuelens", "--data", "x", "--out", "y", "--begin", "z.keras", "--precision", "bfloat16"),
    ],
)
def test_wrong_usage_ends_with_2(run_here: Command, arguments: tuple[str, ...]) -> None:
    ended = run_here(TRAIN, *arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith("usage: train-model")


def test_the_help_says_how_our_network_is_trained(run_here: Command) -> None:
    ended = run_here(TRAIN, "--help")
    assert ended.returncode == 0
    for name, value in (("epochs", "340"), ("batch", "256"), ("mirror", "0.2"), ("rarity", "0.15"), ("views", "48")):
        assert re.search(rf"^  {name} +{re.escape(value)} +\w", ended.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("absent.npz", None, "does not exist"),
        ("x.npz", b"", "is empty"),
        ("x.npz", b"PK\3\4 cut short", "not readable"),
        ("x.npz", b"a letter", "not readable"),
        ("fer2013.csv", b"a letter\n", "is not Kaggle's"),
        ("fer2013.csv", b"emotion,pixels,Usage\n0,1 2 3,Training\n", "line 2"),
        ("x.jpg", b"\xff\xd8\xff", "no known kind"),
    ],
)
def test_data_that_cannot_be_used_ends_with_3_and_one_line(
    train_small: Command, tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    ended = train_small("cuelens", "--data", tmp_path / name, "--out", tmp_path / "run")
    assert (ended.returncode, ended.stdout) == (3, "")
    (line,) = ended.stderr.splitlines()
    assert line.startswith("train-model: ")
    assert words in line
    assert not (tmp_path / "run").exists()


def test_an_unknown_recipe_ends_with_3_and_names_those_that_are_known(run_here: Command, synthetic_npz: Path) -> None:
    ended = run_here(TRAIN, "resnet", "--data", synthetic_npz, "--out", synthetic_npz / "run")
    assert ended.returncode == 3
    assert ended.stderr.startswith("train-model: recipe 'resnet' is unknown: use one of cuelens, teacher, vgg-blocks,")


def test_weights_that_cannot_be_begun_from_end_with_3(
    train_small: Command, synthetic_npz: Path, tmp_path: Path
) -> None:
    (tmp_path / "weights.json").write_text("a letter")
    for name, words in (("absent.json", "cannot be read: No such file"), ("weights.json", "is no weights manifest")):
        arguments = ("--data", synthetic_npz, "--out", tmp_path / "run", "--pretrained", tmp_path / name)
        ended = train_small("cuelens", *arguments)
        assert ended.returncode == 3
        (line,) = ended.stderr.splitlines()
        assert line.startswith("train-model: ")
        assert name in line
        assert words in line
        assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("option", ["--begin", "--besides"])
def test_what_a_training_cannot_go_on_with_ends_with_3(
    train_small: Command, synthetic_npz: Path, tmp_path: Path, option: str
) -> None:
    (tmp_path / "letter").write_text("a letter")
    out = tmp_path / "run"
    ended = train_small("cuelens", "--data", synthetic_npz, "--out", out, option, tmp_path / "letter")
    assert ended.returncode == 3
    (line,) = ended.stderr.splitlines()
    assert line.startswith("train-model: ")
    assert str(tmp_path / "letter") in line
    assert not out.exists()


def test_a_network_is_trained_further_with_more_faces(
    train_small: Command, synthetic_npz: Path, tmp_path: Path
) -> None:
    more = synthetic_npz / "train.npz"
    arguments = ("cuelens", "--data", synthetic_npz, "--teachers", "0", "--epochs", "1", "--besides", more)
    first = train_small(*arguments, "--out", tmp_path / "first")
    assert first.returncode == 0, first.stderr
    again = train_small(*arguments, "--out", tmp_path / "again", "--begin", tmp_path / "first" / "cuelens.keras")
    assert again.returncode == 0, again.stderr
    # A tenth of the file is the inner split.
    assert "216 faces of train.npz to learn from besides" in again.stdout


def test_faces_that_the_data_is_judged_on_are_not_learned_from_besides(
    train_small: Command, synthetic_npz: Path, tmp_path: Path
) -> None:
    more = synthetic_npz / "publictest.npz"
    ended = train_small("cuelens", "--data", synthetic_npz, "--out", tmp_path / "run", "--besides", more)
    assert ended.returncode == 3
    assert ended.stderr.startswith(f"train-model: {more} holds no face but those that ")


def test_a_missing_extra_ends_with_3_and_names_it(command: Command, synthetic_npz: Path, tmp_path: Path) -> None:
    without = "import sys; sys.modules['keras'] = None"
    ended = command(TRAIN, "cuelens", "--data", synthetic_npz, "--out", tmp_path / "run", before=without)
    assert ended.returncode == 3
    assert ended.stderr == f"train-model: keras is not installed: run `{install('train')}`\n"


def test_an_unwritable_folder_ends_with_3_and_one_line(
    train_small: Command, synthetic_npz: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    ended = train_small("cuelens", "--data", synthetic_npz, "--out", tmp_path / "file")
    assert ended.returncode == 3
    (line,) = ended.stderr.splitlines()
    assert f"{tmp_path / 'file'} cannot be written to" in line


def test_a_training_says_its_notes_its_epochs_and_its_result(
    train_small: Command, synthetic_npz: Path, tmp_path: Path
) -> None:
    with np.load(synthetic_npz / "train.npz") as arrays:
        np.savez(tmp_path / "faces.npz", **arrays)
    few = ("--epochs", 2, "--teachers", 1, "--teacher-epochs", 1)
    ended = train_small("cuelens", "--data", tmp_path / "faces.npz", "--out", tmp_path / "run", *few)
    assert (ended.returncode, ended.stderr) == (0, "")
    lines = ended.stdout.splitlines()
    assert lines[:4] == [
        "faces.npz has one part only: a seeded fifth (48 faces) is held out",
        "173 faces to learn from, 19 to choose the best epoch on",
        "gathering pictures of no face",
        "teacher 1 of 1",
    ]
    assert [line[:11] for line in lines if line.startswith("  epoch")] == ["  epoch   1", "  epoch   1", "  epoch   2"]
    assert lines[-2:] == [f"  {tmp_path / 'run' / 'cuelens-fer7.keras'}", f"  {tmp_path / 'run' / 'cuelens.keras'}"]


def test_a_budget_is_said_in_epochs(train_small: Command, synthetic_npz: Path, tmp_path: Path) -> None:
    little = ("--budget", 1e-6, "--teachers", 0)
    ended = train_small("cuelens", "--data", synthetic_npz, "--out", tmp_path / "run", *little)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "1e-06 minutes here are 1 epochs" in ended.stdout.splitlines()
    assert (tmp_path / "run" / "cuelens.keras").exists()


def test_a_team_that_cannot_be_joined_ends_with_3(command: Command, synthetic_npz: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="teams are TensorFlow's (extra train)")
    arguments = ("cuelens", "--data", synthetic_npz, "--out", tmp_path / "run", "--strategy", "multiworker")
    ended = command(TRAIN, *arguments, before="import os; os.environ['TF_CONFIG'] = 'a letter'")
    assert ended.returncode == 3
    (line,) = ended.stderr.splitlines()
    assert line.startswith("train-model: the team of TF_CONFIG cannot be joined: ")


def test_results_do_not_go_into_the_data(run_here: Command, synthetic_npz: Path) -> None:
    before = sorted(synthetic_npz.iterdir())
    ended = run_here(TRAIN, "cuelens", "--data", synthetic_npz, "--out", synthetic_npz / "run")
    assert ended.returncode == 3
    assert "lies in the data" in ended.stderr
    assert sorted(synthetic_npz.iterdir()) == before


def test_pictures_of_a_small_set_do_not_go_into_the_data(
    train_small: Command, synthetic_npz: Path, tmp_path: Path
) -> None:
    data = tmp_path / "faces" / "mine"
    shutil.copytree(synthetic_npz, data)
    for place in (data.parent, data, data / "train.npz"):
        ended = train_small("five-class-scratch", "--data", place, "--out", tmp_path, "--epochs", 1)
        assert (ended.returncode, ended.stdout) == (3, "")
        (line,) = ended.stderr.splitlines()
        where = f"{tmp_path / 'faces'}, where {place} is"
        assert line == f"train-model: {where}, would be overwritten by pictures: choose another --out"
    assert [entry.name for entry in tmp_path.iterdir()] == ["faces"]


@pytest.mark.parametrize(
    ("option", "name"), [("--begin", "cuelens"), ("--taught-by", "cuelens-fer7"), ("--taught-by", "best")]
)
def test_a_training_does_not_overwrite_the_network_that_it_goes_on_from(
    train_small: Command, synthetic_npz: Path, tmp_path: Path, option: str, name: str
) -> None:
    network = tmp_path / f"{name}.keras"
    network.write_bytes(b"a network")
    ended = train_small("cuelens", "--data", synthetic_npz, "--out", tmp_path, option, network)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr == f"train-model: {network} would overwrite {network}: choose another file\n"
    assert network.read_bytes() == b"a network"


def test_pictures_of_no_face_need_an_extra_too(
    train_small: Command, synthetic_npz: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "skimage", None)
    ended = train_small("cuelens", "--data", synthetic_npz, "--out", tmp_path / "run")
    assert ended.returncode == 3
    assert ended.stderr == f"train-model: scikit-image is not installed: run `{install('train')}`\n"


def test_a_queue_goes_on_after_a_recipe_that_fails(command: Command, synthetic_npz: Path, tmp_path: Path) -> None:
    pytest.importorskip("keras", reason="training needs the extra train")
    pytest.importorskip("rich", reason="training needs the extra train")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "four-class").write_text("in the way")
    arguments = ("--data", synthetic_npz, "--out", tmp_path / "run", "--epochs", 1)
    ended = command(TRAIN, "--queue", "four-class", "vgg-blocks-1", *arguments)
    assert ended.returncode == 3
    (line,) = ended.stderr.splitlines()
    assert line.startswith("train-model: four-class: ")
    assert (tmp_path / "run" / "vgg-blocks-1" / "vgg-blocks-1.keras").exists()
    assert "published: 50.1 %" in ended.stdout


def test_an_ensemble_is_made_of_files_and_teaches(train_small: Command, synthetic_npz: Path, tmp_path: Path) -> None:
    one = ("--data", synthetic_npz, "--epochs", 1)
    for seed in (1, 2):
        train_small("vgg-blocks-1", *one, "--out", tmp_path / f"m{seed}", "--seed", seed)
    files = [tmp_path / f"m{seed}" / "vgg-blocks-1.keras" for seed in (1, 2)]
    ended = train_small("ensemble", "--members", *files, "--out", tmp_path / "both")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"{tmp_path / 'both' / 'ensemble.keras'}\n"
    taught = ("--teachers", 0, "--taught-by", tmp_path / "both" / "ensemble.keras")
    ended = train_small("cuelens", *one, "--out", tmp_path / "run", *taught)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "asking the teachers" in ended.stdout.splitlines()
    ended = train_small("ensemble", "--members", files[0], "--out", tmp_path / "alone")
    assert (ended.returncode, ended.stderr) == (3, "train-model: an ensemble has two members at least (--members)\n")
    assert not (tmp_path / "alone").exists()
    joined = tmp_path / "both" / "ensemble.keras"
    ended = train_small("ensemble", "--members", joined, files[0], "--out", tmp_path / "both")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr == f"train-model: {joined} would overwrite {joined}: choose another file\n"
