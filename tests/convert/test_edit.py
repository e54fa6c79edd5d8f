import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from cuelens_convert.edit import Changes, apply_changes, describe, edit_bundle, parse_thresholds
from cuelens_models.bundle import file
from cuelens_models.bundle.contract import Probabilities
from cuelens_models.bundle.file import SHIPPED, Bundle
from cuelens_models.errors import BadBundle, BadInput

Command = Callable[..., "subprocess.CompletedProcess[str]"]

OTHER = ("happy", "neutral", "surprise", "sad", "angry", "disgust", "fear", "contempt", "not_a_face")


def test_thresholds_are_read_from_words() -> None:
    assert parse_thresholds("happy=0.6,joy=.7,sadness=1") == {"happy": 0.7, "sad": 1}


@pytest.mark.parametrize("words", ["", "happy", "happy=", "happy=much", "glee=0.5", "happy:0.5"])
def test_words_that_are_no_thresholds_are_refused(words: str) -> None:
    with pytest.raises(BadInput):
        parse_thresholds(words)


def test_labels_take_their_thresholds_along(shipped: Bundle) -> None:
    old = shipped.contract
    new = apply_changes(old, Changes(labels=OTHER))
    assert new.labels == list(OTHER)
    assert new.probabilities.enter["happy"] == old.probabilities.enter["neutral"]
    assert new.probabilities.enter["sad"] == old.probabilities.enter["sad"]
    assert new.provenance.recipe.startswith(f"{old.provenance.recipe}; relabelled from neutral happy")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (Changes(thresholds={"sad": 0.9}), {"happy": 0.8, "sad": 0.9}),
        (Changes(thresholds={"happy": 0.6, "neutral": 0.9}), {"happy": 0.6}),
        (Changes(labels=("neutral", "sad", "surprise", "happy", *OTHER[4:])), {"sad": 0.8}),
        (Changes(labels=OTHER, thresholds={"sad": 0.9}), {"sad": 0.9}),
        (Changes(temperature=1.5), {"happy": 0.8}),
    ],
)
def test_thresholds_that_a_maker_chose_are_kept_for_the_glasses(
    shipped: Bundle, changes: Changes, expected: dict[str, float]
) -> None:
    assert shipped.contract.probabilities.least == {}
    probabilities = msgspec.structs.replace(shipped.contract.probabilities, least={"happy": 0.8})
    old = msgspec.structs.replace(shipped.contract, probabilities=probabilities)
    assert apply_changes(old, changes).probabilities.least == expected


EXCHANGED = ("neutral", "sad", "surprise", "happy", *OTHER[4:])
"""The shipped labels with happy and sad exchanged."""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (Changes(thresholds={"sad": 0.9}), {"happy": -6.0, "sad": -3.0}),
        (Changes(labels=EXCHANGED), {"sad": -6.0, "happy": -3.0}),
        (Changes(temperature=1.5), {"happy": -3.0, "sad": -1.5}),
        (Changes(labels=EXCHANGED, temperature=0.375), {"sad": -12.0, "happy": -6.0}),
        (Changes(labels=OTHER), {}),
    ],
)
def test_what_is_usual_goes_with_its_output_and_its_neutral(
    shipped: Bundle, changes: Changes, expected: dict[str, float]
) -> None:
    old = msgspec.structs.replace(
        shipped.contract,
        probabilities=Probabilities(
            temperature=0.75, enter=shipped.contract.probabilities.enter, usual={"happy": -6.0, "sad": -3.0}
        ),
    )
    assert apply_changes(old, changes).probabilities.usual == pytest.approx(expected)


@pytest.mark.parametrize(("drop", "words"), [(0.0, "+0.00"), (0.0123, "-1.23"), (-0.02, "+2.00")])
def test_the_worst_class_is_described_with_one_sign(shipped: Bundle, drop: float, words: str) -> None:
    parity = msgspec.structs.replace(shipped.contract.parity, worst_class_drop=drop)
    (line,) = (
        line
        for line in describe(msgspec.structs.replace(shipped.contract, parity=parity), 1024)
        if line.startswith("  parity")
    )
    assert line.endswith(f"worst class {words} points")


@pytest.mark.parametrize(
    ("macro_f1", "words"),
    [
        (0.7815, "macro-F1 0.781"),
        (0.0, "macro-F1 not measured: fewer than 50 images of every class"),
    ],
)
def test_a_macro_f1_that_was_not_measured_is_no_figure(shipped: Bundle, macro_f1: float, words: str) -> None:
    metrics = msgspec.structs.replace(shipped.contract.metrics, macro_f1=macro_f1)
    (line,) = (
        line
        for line in describe(msgspec.structs.replace(shipped.contract, metrics=metrics), 0)
        if line.startswith("  figures ")
    )
    assert line.endswith(words)


def test_what_is_usual_is_described_where_there_is_some(shipped: Bundle) -> None:
    known = Probabilities(temperature=1.0, enter={}, usual={"happy": -6.04, "sad": 0.3})
    for probabilities, expected in (
        (known, ["  usual        happy -6.0  sad +0.3"]),
        (Probabilities(temperature=1.0, enter={}), []),
    ):
        contract = msgspec.structs.replace(shipped.contract, probabilities=probabilities)
        assert [line for line in describe(contract, 1024) if line.startswith("  usual")] == expected


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (Changes(labels=("happy", "sad")), "9 outputs"),
        (Changes(labels=(*OTHER[:8], "happy")), "distinct"),
        (Changes(labels=(*OTHER[:8], "glee")), "no expression"),
        (Changes(thresholds={"glee": 0.5}), "has no glee"),
        (Changes(thresholds={"happy": 1.2}), "0 to 1"),
        (Changes(thresholds={"happy": float("nan")}), "0 to 1"),
        (Changes(temperature=0), "more than 0"),
        (Changes(temperature=float("nan")), "more than 0"),
        (Changes(temperature=float("inf")), "more than 0"),
    ],
)
def test_changes_that_do_not_fit_are_refused(shipped: Bundle, changes: Changes, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        apply_changes(shipped.contract, changes)


def test_the_new_bundle_is_whole_and_the_old_one_is_left(tmp_path: Path) -> None:
    old = SHIPPED.read_bytes()
    edit_bundle(SHIPPED, tmp_path / "new.tflite", Changes(thresholds={"happy": 0.8}, temperature=0.9))
    new = file.load(tmp_path / "new.tflite")
    assert (new.contract.probabilities.enter["happy"], new.contract.probabilities.temperature) == (0.8, 0.9)
    assert new.model == file.load(SHIPPED).model
    assert SHIPPED.read_bytes() == old
    with pytest.raises(BadInput, match="would overwrite"):
        edit_bundle(tmp_path / "new.tflite", tmp_path / "new.tflite", Changes(temperature=1))
    (tmp_path / "cut.tflite").write_bytes(old[:1000])
    with pytest.raises(BadBundle):
        edit_bundle(tmp_path / "cut.tflite", tmp_path / "other.tflite", Changes(temperature=1))
    assert not (tmp_path / "other.tflite").exists()


def test_bundles_are_looked_at_and_changed_without_tensorflow(command: Command, tmp_path: Path) -> None:
    without = "import sys; sys.modules.update(dict.fromkeys(('tensorflow', 'keras', 'ai_edge_litert'), None))"
    ended = command("cuelens_convert.cli", "--inspect", SHIPPED, before=without)
    assert (ended.returncode, ended.stderr) == (0, "")
    contract = file.load(SHIPPED).contract
    lines = ended.stdout.splitlines()
    assert lines[0] == contract.title()
    assert f"  labels       {' '.join(contract.labels)}" in lines
    assert f"  digest       {contract.content_digest}" in lines
    options = ("--thresholds", "happy=0.8", "--temperature", 1.5)
    ended = command("cuelens_convert.cli", SHIPPED, "-o", tmp_path / "new.tflite", *options, before=without)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "  temperature  1.5" in ended.stdout.splitlines()
    assert file.load(tmp_path / "new.tflite").contract.probabilities.enter["happy"] == 0.8


@pytest.mark.parametrize(
    "arguments",
    [
        ("--inspect", "a.tflite", "b.tflite"),
        ("--inspect", "a.tflite", "--temperature", "1"),
        ("a.tflite", "--temperature", "1"),
        ("a.tflite", "b.tflite", "-o", "c", "--temperature", "1"),
        ("a.tflite", "-o", "c", "--temperature", "1", "--data", "d"),
        ("a.tflite", "-o", "c", "--temperature", "warm"),
    ],
)
def test_wrong_usage_ends_with_2(command: Command, arguments: tuple[str, ...]) -> None:
    ended = command("cuelens_convert.cli", *arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith("usage: convert-model")


def test_what_is_no_bundle_ends_with_3(command: Command, tmp_path: Path) -> None:
    (tmp_path / "x.tflite").write_bytes(b"a letter")
    ended = command("cuelens_convert.cli", "--inspect", tmp_path / "x.tflite")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert len(ended.stderr.splitlines()) == 1
