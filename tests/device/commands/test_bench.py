"""What `cuelens bench` advises, and that what it prints can be collected."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cuelens.commands.bench import _advice, _measured
from cuelens_models.bundle.file import SHIPPED, load


def figures(
    invokes: dict[str, tuple[float, float, float]], cores: int = 4, p95: float = 30.0, weak: bool = False
) -> dict[str, Any]:
    return {
        "cores": cores,
        "invoke_ms": {
            kind: {threads: {"p50": ms, "p95": ms} for threads, ms in zip(("1", "2", "4"), times, strict=True)}
            for kind, times in invokes.items()
        },
        "frame_to_decision_ms": {"all beats": {"p50": p95 / 2, "p95": p95}},
        "under_voltage": weak,
    }


@pytest.mark.parametrize(
    ("times", "cores", "threads"),
    [((10, 6, 5.5), 4, 2), ((10, 6, 3), 4, 4), ((10, 9, 8.5), 4, 1), ((10, 6, 3), 1, 1), ((10, 9, 7), 4, 4)],
)
def test_threads_are_advised_where_they_save_a_fifth(times: Any, cores: int, threads: int) -> None:
    first = _advice(figures({"int8 (net)": times}, cores))[0]
    assert first.startswith(f"[threads] model = {threads}:")
    # One thread is not compared with itself.
    assert first.endswith("with one thread" if threads > 1 else "more are not worth it here")


def test_the_faster_kind_of_model_is_advised() -> None:
    said = "\n".join(_advice(figures({"int8 (net)": (10, 10, 10), "float32 (net)": (25, 25, 25)})))
    assert "model: int8 (net); float32 (net) takes 2.5 times as long" in said


def test_a_slow_board_and_a_weak_supply_are_told_of() -> None:
    said = "\n".join(_advice(figures({"int8 (net)": (10, 10, 10)}, p95=71, weak=True)))
    assert "OVER the 50 ms" in said
    assert "farthest_m" in said
    assert "supply is too weak" in said


def test_each_figure_is_told_before_the_next_is_measured() -> None:
    figures: dict[str, Any] = {}
    told = _measured([load(SHIPPED)], figures)
    assert [line.split()[0] for line in next(told)] == ["board", "bundle"]
    assert (figures["stages_ms"], figures["invoke_ms"]) == ({}, {"int8 (cuelens)": {}})
    for number, stage in enumerate(("candidates of a frame", "scan of a frame", "region scan (88x88)"), 1):
        (line,) = next(told)
        assert line.startswith(stage)
        assert f"p50 {figures['stages_ms'][stage]['p50']:8.3f} ms" in line
        assert len(figures["stages_ms"]) == number
        assert figures["invoke_ms"] == {"int8 (cuelens)": {}}


@pytest.mark.slow
def test_the_bench_prints_json_of_every_stage(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-m", "cuelens", "bench", "--json"], capture_output=True, check=True)
    told = msgspec.json.decode(done.stdout)
    lines = done.stderr.decode().splitlines()
    assert [line.split()[0] for line in lines[:3]] == ["board", "bundle", "candidates"]
    assert len([line for line in lines if line.startswith("advice")]) == len(told["advice"])
    assert set(told["stages_ms"]) >= {"candidates of a frame", "region scan (88x88)", "crop and quantise"}
    assert [*told["invoke_ms"]["int8 (cuelens)"]] == ["1", "2", "4"]
    for stage in (*told["stages_ms"].values(), *told["frame_to_decision_ms"].values()):
        assert 0 < stage["p50"] <= stage["p95"]
    assert told["stages_ms"]["candidates of a frame"]["p50"] < told["stages_ms"]["scan of a frame"]["p50"] / 2
    assert told["start"]["cpu_s"] > 0
    assert told["memory_mb"]["now"] <= told["memory_mb"]["highest"]
    assert told["advice"]
