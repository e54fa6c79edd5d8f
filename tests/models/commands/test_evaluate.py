import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest

from cuelens_models.bundle import file
from cuelens_models.bundle.file import SHIPPED, Bundle
from cuelens_models.command import install

Command = Callable[..., subprocess.CompletedProcess[str]]
EVALUATE = "cuelens_models.commands.evaluate"
KERAS = Path(__file__).resolve().parents[3] / "models" / "cuelens_models" / "shipped" / "cuelens.keras"


def faults(ended: subprocess.CompletedProcess[str]) -> list[str]:
    """Return the lines of standard error that tell no stage."""
    return [line for line in ended.stderr.splitlines() if not line.endswith(" ...")]


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("x.tflite",),
        ("--data", "x"),
        ("x.tflite", "--data", "x", "--protocol", "ferplus9"),
        ("x.tflite", "--data", "x", "--crop", "mtcnn"),
        ("x.tflite", "--data", "x", "--show-faces"),
    ],
)
def test_wrong_usage_ends_with_2(command: Command, arguments: tuple[str, ...]) -> None:
    ended = command(EVALUATE, *arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith("usage: evaluate-model")


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        pytest.param((), "MODEL, --data DATA", id="nothing"),
        pytest.param(("x.tflite",), "--data DATA", id="no data"),
        pytest.param(("--data", "x", "--json"), "MODEL", id="no model"),
        pytest.param(
            ("x.tflite", "--show-faces"), "--data DATA, --report FILE.html (for --show-faces)", id="no data, no page"
        ),
        pytest.param(
            ("--show-faces",), "MODEL, --data DATA, --report FILE.html (for --show-faces)", id="all three missing"
        ),
    ],
)
def test_all_that_is_missing_is_asked_for_at_once(command: Command, arguments: tuple[str, ...], asked: str) -> None:
    ended = command(EVALUATE, *arguments)
    assert ended.returncode == 2
    assert ended.stderr.splitlines()[-1] == f"evaluate-model: error: required, but missing: {asked}"


@pytest.mark.parametrize("name", ["absent.tflite", "absent.keras"])
def test_a_model_that_is_missing_is_noticed_before_the_data_are_read(
    command: Command, tmp_path: Path, name: str
) -> None:
    ended = command(EVALUATE, tmp_path / name, "--data", tmp_path / "absent.csv")
    assert (ended.returncode, ended.stdout) == (3, "")
    *stages, line = ended.stderr.splitlines()
    assert all(stage.endswith(" ...") for stage in stages)
    assert name in line
    assert "absent.csv" not in line


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("absent.tflite", None, "cannot be read"),
        ("x.tflite", b"", "it is empty"),
        ("x.tflite", SHIPPED.read_bytes()[:200_000], "cut short"),
        ("x.tflite", b"a letter to the editor", "no TFLite file"),
        ("absent.keras", None, "does not exist"),
        ("x.keras", b"", "no .keras file"),
        ("x.keras", KERAS.read_bytes()[:500_000], "no .keras file"),
    ],
)
def test_a_model_that_cannot_be_used_ends_with_3_and_one_line(
    command: Command, synthetic_npz: Path, tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    ended = command(EVALUATE, tmp_path / name, "--data", synthetic_npz)
    assert (ended.returncode, ended.stdout) == (3, "")
    *stages, line = ended.stderr.splitlines()
    assert all(stage.endswith(" ...") for stage in stages)
    assert line.startswith("evaluate-model: ")
    assert words in line


@pytest.mark.parametrize("name", ["absent", "x.npz", "x.txt"])
def test_data_that_cannot_be_used_ends_with_3_and_one_line(command: Command, tmp_path: Path, name: str) -> None:
    if name != "absent":
        (tmp_path / name).write_text("a letter")
    ended = command(EVALUATE, SHIPPED, "--data", tmp_path / name)
    assert (ended.returncode, ended.stdout) == (3, "")
    *stages, line = ended.stderr.splitlines()
    assert all(stage.endswith(" ...") for stage in stages)
    assert line.startswith(f"evaluate-model: {tmp_path / name} ")


def test_a_missing_extra_ends_with_3_and_names_it(command: Command, synthetic_npz: Path) -> None:
    without = "import sys; sys.modules['keras'] = None"
    ended = command(EVALUATE, KERAS, "--data", synthetic_npz, before=without)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert faults(ended) == [f"evaluate-model: keras is not installed: run `{install('train')}`"]


def test_figures_are_printed_for_people_and_as_json(command: Command, synthetic_npz: Path) -> None:
    shown = command(EVALUATE, SHIPPED, "--data", synthetic_npz, "--corruptions")
    figures = command(EVALUATE, SHIPPED, "--data", synthetic_npz, "--json", "--protocol", "ferplus8", "--corruptions")
    for ended in (shown, figures):
        assert (ended.returncode, faults(ended)) == (0, [])
    report = json.loads(figures.stdout)
    assert list(report)[:7] == ["protocol", "images", "accuracy", "macro_f1", "recall", "ece", "coverage"]
    assert {"macro_f1_all", "auc", "said", "not_a_face", "intervals", "robustness", "cost", "notes"} <= set(report)
    assert "crop" not in report
    assert list(report["coverage"]) == ["0.2", "0.4", "0.6", "0.8", "1"]
    assert (report["protocol"], report["images"]) == ("ferplus8 on publictest", 120)
    assert shown.stdout.startswith("ferplus8 on publictest, 120 images\n")
    low, high = report["intervals"]["accuracy"]
    assert f"accuracy {report['accuracy']:.2%} ({low:.1%} to {high:.1%})" in shown.stdout
    low, high = report["intervals"]["macro_recall"]
    assert f"macro-recall {report['macro_recall']:.2%} ({low:.1%} to {high:.1%})" in shown.stdout
    assert f"camera {report['robustness']['camera']:.1%}" in shown.stdout
    assert f"of {report['said']['share']:.1%} of the images" in shown.stdout
    # Fifteen images of each expression are too few for it.
    assert report["macro_f1"] == 0 < report["macro_f1_all"]
    assert "note      macro-F1 is 0 because no expression has 50 images: take that over all classes\n" in shown.stdout
    # tflite_runtime alone has no reader of the format to count with.
    multiply_adds = report["cost"]["multiply_adds"]
    assert ("multiply-adds" in shown.stdout) is (multiply_adds is not None)
    assert multiply_adds is None or f"{multiply_adds:,} multiply-adds" in shown.stdout


def test_corruptions_are_measured_on_request_only_and_each_stage_is_told(command: Command, synthetic_npz: Path) -> None:
    pytest.importorskip("rich", reason="stages are told by the extra train")
    before = "import atexit, sys; atexit.register(lambda: print({'keras', 'tensorflow'} & sys.modules.keys()))"
    ended = command(EVALUATE, SHIPPED, "--data", synthetic_npz, before=before)
    assert ended.stderr.splitlines() == [
        "opening the model ...",
        "reading the faces ...",
        "faces as they are ...",
        "intervals ...",
    ]
    assert "corrupted" not in ended.stdout
    assert ended.stdout.splitlines()[-1] == "set()"
    report = json.loads(command(EVALUATE, SHIPPED, "--data", synthetic_npz, "--json").stdout)
    assert report["robustness"] == {"none": report["accuracy"]}


def pictures(folder: Path, words: list[str], side: int) -> Path:
    random = np.random.default_rng(0)
    for number, word in enumerate(words):
        (folder / word).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / word / f"{number}.png"), random.integers(0, 256, (side, side), dtype=np.uint8))
    return folder


def test_a_folder_with_one_part_is_measured_whole(command: Command, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "press", ["happiness", "sad", "fear", "contempt"] * 3, 60)
    ended = command(EVALUATE, SHIPPED, "--data", folder, "--protocol", "fer7", "--json")
    assert (ended.returncode, faults(ended)) == (0, [])
    report = json.loads(ended.stdout)
    assert (report["protocol"], report["images"]) == ("fer7 on press", 9)
    assert list(report["recall"]) == ["happy", "sad", "fear"]
    assert "all 12 faces are used" in report["notes"][0]
    assert report["notes"][1] == "3 of 12 faces do not count under fer7 (contempt 3)"


def test_foreign_class_names_are_asked_for_and_then_read(command: Command, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "press", ["enojo", "1_feliz"] * 3, 60)
    asked = command(EVALUATE, SHIPPED, "--data", folder, "--protocol", "fer7")
    assert (asked.returncode, asked.stdout) == (3, "")
    assert "--classes '1_feliz=LABEL,enojo=LABEL'" in asked.stderr
    ended = command(
        EVALUATE, SHIPPED, "--data", folder, "--protocol", "fer7", "--json", "--classes", "enojo=angry,feliz=happy"
    )
    assert (ended.returncode, faults(ended)) == (0, [])
    assert set(json.loads(ended.stdout)["recall"]) == {"angry", "happy"}
    wrong = command(EVALUATE, SHIPPED, "--data", folder, "--classes", "enojo=cross")
    assert wrong.returncode == 2
    assert "'cross' is no expression" in wrong.stderr


def test_what_the_detector_met_is_told(command: Command, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "press", ["happy", "sad"], 200)
    pictures(folder, ["neutral"], 96)
    arguments = (SHIPPED, "--data", folder, "--protocol", "fer4", "--crop", "haar")
    report = json.loads(command(EVALUATE, *arguments, "--json").stdout)
    crop = {"detector": "haar-alt2", "found": 0, "not_found": 2, "cropped_before": 1}
    assert report["crop"] == {**crop, "not_found_accuracy": report["crop"]["not_found_accuracy"]}
    assert report["crop"]["not_found_accuracy"] in {0.0, 0.5, 1.0}
    assert (report["images"], list(report["recall"])) == (1, ["neutral"])
    shown = command(EVALUATE, *arguments)
    assert (shown.returncode, faults(shown)) == (0, [])
    assert "a face was found in 0 pictures; 1 are small enough" in shown.stdout
    assert "no face was found in 2 pictures: no figure above includes them; as whole pictures" in shown.stdout


def test_pictures_without_any_face_give_no_figures(command: Command, tmp_path: Path) -> None:
    folder = pictures(tmp_path / "press", ["happy", "sad"], 200)
    ended = command(EVALUATE, SHIPPED, "--data", folder, "--protocol", "fer4", "--crop", "haar")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert "no face is found in any of its 2 pictures" in ended.stderr


def test_arrays_have_nothing_to_cut(command: Command, synthetic_npz: Path) -> None:
    ended = command(EVALUATE, SHIPPED, "--data", synthetic_npz, "--crop", "haar", "--json")
    assert (ended.returncode, faults(ended)) == (0, [])
    assert "changes nothing" in " ".join(json.loads(ended.stdout)["notes"])


def test_a_detector_that_the_crop_rule_is_not_for_is_refused(
    command: Command, shipped: Bundle, synthetic_npz: Path, tmp_path: Path
) -> None:
    rule = msgspec.structs.replace(shipped.contract.input.crop, detector="yunet")
    fed = msgspec.structs.replace(shipped.contract.input, crop=rule)
    other = tmp_path / "other.tflite"
    other.write_bytes(file.pack(shipped.model, msgspec.structs.replace(shipped.contract, input=fed)))
    ended = command(EVALUATE, other, "--data", synthetic_npz, "--crop", "haar")
    assert (ended.returncode, ended.stdout) == (3, "")
    assert "crop rule is for the detector 'yunet'" in ended.stderr


def test_a_page_is_written_twice_the_same_and_has_no_faces_unless_asked(
    command: Command, synthetic_npz: Path, tmp_path: Path
) -> None:
    pytest.importorskip("matplotlib", reason="the page's pictures are drawn by matplotlib (extra train)")
    for name, options in (("a", ()), ("b", ()), ("c", ("--show-faces",))):
        arguments = (SHIPPED, "--data", synthetic_npz, "--json", "--report", tmp_path / f"{name}.html", *options)
        ended = command(EVALUATE, *arguments)
        assert (ended.returncode, faults(ended)) == (0, [])
        assert json.loads(ended.stdout)["images"] == 120
    first, second, third = ((tmp_path / f"{name}.html").read_text() for name in "abc")
    assert first == second
    assert "<img" not in first
    assert "<img" in third
    assert str(tmp_path) not in third
    assert str(SHIPPED.parent) not in third


@pytest.mark.parametrize(
    ("report", "words"),
    [
        pytest.param("absent/x.html", "there is no folder", id="no folder"),
        pytest.param("faces", "it is a folder", id="a folder"),
        pytest.param("faces/train.npz", "would overwrite", id="a file of the data"),
        pytest.param("mine.tflite", "would overwrite", id="the model"),
        pytest.param("mine.keras", "would overwrite", id="the network beside it"),
    ],
)
def test_a_page_that_cannot_or_must_not_be_written_ends_with_3_before_the_work(
    command: Command, synthetic_npz: Path, tmp_path: Path, report: str, words: str
) -> None:
    shutil.copytree(synthetic_npz, tmp_path / "faces")
    shutil.copy(SHIPPED, tmp_path / "mine.tflite")
    shutil.copy(KERAS, tmp_path / "mine.keras")
    before_files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    before = "from cuelens_models import evaluate; evaluate.evaluate = None"
    arguments = (tmp_path / "mine.tflite", "--data", tmp_path / "faces", "--report", tmp_path / report)
    ended = command(EVALUATE, *arguments, before=before)
    assert (ended.returncode, ended.stdout) == (3, "")
    *stages, line = ended.stderr.splitlines()
    assert all(stage.endswith(" ...") for stage in stages)
    assert words in line
    assert before_files == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


def test_a_page_needs_matplotlib_and_figures_do_not(command: Command, synthetic_npz: Path, tmp_path: Path) -> None:
    # jinja2 counts as there: it is needed too, and may be the one that is missing.
    without = "import sys; sys.modules.update(matplotlib=None, rich=None, jinja2=sys)"
    assert command(EVALUATE, SHIPPED, "--data", synthetic_npz, before=without).returncode == 0
    ended = command(EVALUATE, SHIPPED, "--data", synthetic_npz, "--report", tmp_path / "x.html", before=without)
    assert (ended.returncode, ended.stdout) == (3, "")
    assert ended.stderr == f"evaluate-model: matplotlib is not installed: run `{install('train')}`\n"
