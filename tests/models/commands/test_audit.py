import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]
AUDIT = "cuelens_models.commands.audit"


@pytest.mark.parametrize(
    "arguments",
    [(), ("x",), ("x", "--out", "y", "--folds", "1"), ("x", "--out", "y", "--epochs", "0"), ("x", "--out", "y", "z")],
)
def test_wrong_usage_ends_with_2(command: Command, arguments: tuple[str, ...]) -> None:
    ended = command(AUDIT, *arguments)
    assert ended.returncode == 2
    assert ended.stderr.startswith("usage: audit-data")


def test_data_that_is_not_there_ends_with_3(command: Command, tmp_path: Path) -> None:
    ended = command(AUDIT, tmp_path / "absent", "--out", tmp_path / "audit")
    assert ended.returncode == 3
    assert ended.stderr.startswith("audit-data: ")
    assert not (tmp_path / "audit").exists()


def test_an_audit_ends_with_counts_and_training_takes_its_findings(
    command: Command, synthetic_npz: Path, tmp_path: Path
) -> None:
    for needed in ("keras", "rich", "cleanlab", "skimage"):
        pytest.importorskip(needed, reason="auditing needs the extra train")
    ended = command(AUDIT, synthetic_npz, "--out", tmp_path / "audit", "--folds", 2, "--epochs", 1)
    assert (ended.returncode, ended.stderr) == (0, "")
    findings = tmp_path / "audit" / "findings.csv"
    assert "of 240 faces: " in ended.stdout
    assert f"  {findings}" in ended.stdout.splitlines()
    (head, *lines) = findings.read_text().splitlines(keepends=True)
    findings.write_text(head + "".join(lines[:3]))
    train = ("cuelens_models.commands.train", "vgg-blocks-1", "--data", synthetic_npz, "--out", tmp_path / "run")
    trained = command(*train, "--epochs", 1, "--leave-out", findings)
    assert (trained.returncode, trained.stderr) == (0, "")
    assert "training faces are left out as asked" in trained.stdout
