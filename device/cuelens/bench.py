"""`cuelens bench`: what this board takes for each stage, for a whole beat, and to start."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from cuelens import board
from cuelens.adapters.haar import NAME, HaarDetector
from cuelens.summary import percentile
from cuelens_models.bundle.file import SHIPPED, Bundle, load
from cuelens_models.bundle.golden import FORMULAS, picture
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.bundle.preprocess import crop, model_input
from cuelens_models.errors import MissingExtra

_THREADS = (1, 2, 4)


def bench(bundle_path: Path | None, *, as_json: bool) -> int:
    """Measure, and print a table or JSON. Returns 0."""
    bundle = load(bundle_path or SHIPPED)
    cv2.setNumThreads(1)
    figures: dict[str, Any] = {
        "board": board.model_name(),
        "cores": os.cpu_count(),
        "temperature_c": board.temperature_c(),
        "bundle": bundle.contract.title(),
        "detector": NAME,
        "stages_ms": _stages(bundle),
        "frame_to_decision_ms": _beats(bundle),
        "start": _start(bundle),
    }
    now_mb, highest_mb = board.resident_mb()
    figures["memory_mb"] = {"now": round(now_mb, 1), "highest": round(highest_mb, 1)}
    figures["temperature_after_c"] = board.temperature_c()
    print(msgspec.json.format(msgspec.json.encode(figures)).decode() if as_json else "\n".join(_table(figures)))
    return 0


def _timed(work: Callable[[], object], times: int) -> dict[str, float]:
    for _ in range(max(2, times // 20)):
        work()
    spent = []
    for _ in range(times):
        began = time.perf_counter_ns()
        work()
        spent.append(time.perf_counter_ns() - began)
    return {"p50": round(percentile(spent, 0.5) / 1e6, 3), "p95": round(percentile(spent, 0.95) / 1e6, 3)}


def _stages(bundle: Bundle) -> dict[str, dict[str, float]]:
    """Each stage alone, on a textured picture: seeded noise of several sizes, as hard for a cascade as a busy room."""
    random = np.random.default_rng(0)
    layers = [
        cv2.resize(random.normal(0, 40, (side * 3, side * 4)), (640, 480), interpolation=cv2.INTER_CUBIC)
        for side in (4, 16, 60)
    ]
    frame = np.clip(np.sum(layers, axis=0) + 128, 0, 255).astype(np.uint8)
    small = cv2.resize(frame, (320, 240), interpolation=cv2.INTER_AREA)
    region = np.ascontiguousarray(small[60:148, 100:188])
    detector = HaarDetector()
    stages = {
        "full scan (320x240)": _timed(lambda: detector.detect(small, 20, 240), 30),
        "region scan (88x88)": _timed(lambda: detector.detect(region, 33, 59), 200),
        "crop and quantise": _timed(
            lambda: model_input(crop(frame, (200, 150, 100, 100), bundle.contract), bundle.contract), 500
        ),
    }
    tensor = model_input(picture(FORMULAS[0]), bundle.contract)
    for threads in _THREADS:
        interpreter = Interpreter(bundle, threads)
        stages[f"invoke ({threads} thread{'s' * (threads > 1)})"] = _timed(partial(interpreter.invoke, tensor), 500)
    return stages


def _beats(bundle: Bundle) -> dict[str, dict[str, float]] | None:
    """Whole beats over the built-in scene; None where its pictures are not installed."""
    from cuelens.beat import Beats
    from cuelens.look import Looking, LookPace, Optics
    from cuelens.profile import Profile, policy_rule, settle_rule
    from cuelens.read import Reader
    from cuelens.scene import SceneSource, demo_scene
    from cuelens.stopwatch import Stopwatch

    try:
        source = SceneSource(demo_scene())
    except MissingExtra:
        return None
    watch = Stopwatch()
    contract = bundle.contract
    beats = Beats(
        Looking(HaarDetector(), Optics(), LookPace(), watch),
        Reader(Interpreter(bundle), watch),
        settle_rule(Profile(), contract.labels, contract.probabilities.enter),
        policy_rule(Profile(), ["light"]),
        watch,
        lambda event: None,
    )
    while (frame := source.read(0)) is not None:
        beats.turn(frame)
    kinds = {"all beats": None, "region": "region", "full scan": "full"}
    return {
        name: {
            "p50": round(percentile(totals, 0.5) / 1e6, 3),
            "p95": round(percentile(totals, 0.95) / 1e6, 3),
        }
        for name, kind in kinds.items()
        if (totals := [beat[1] for beat in watch.beats if kind in (None, beat[0])])
    }


def _start(bundle: Bundle) -> dict[str, float]:
    """From nothing to the first decision: a fresh process on one grey picture."""
    with tempfile.TemporaryDirectory() as folder:
        still = Path(folder) / "still.pgm"
        cv2.imwrite(str(still), np.full((480, 640), 100, np.uint8))
        command = [sys.executable, "-m", "cuelens", "run", "--as-fast", "--seconds", "0"]
        before = os.times()
        began = time.monotonic()
        subprocess.run(
            [*command, "--source", str(still), "--bundle", str(bundle.path)], capture_output=True, check=True
        )
        wall_s = time.monotonic() - began
        after = os.times()
    cpu_s = after.children_user + after.children_system - before.children_user - before.children_system
    return {"wall_s": round(wall_s, 2), "cpu_s": round(cpu_s, 2)}


def _table(figures: dict[str, Any]) -> list[str]:
    heat = figures["temperature_after_c"]
    warmth = "temperature not told" if heat is None else f"{heat:.0f} C"
    lines = [
        f"board     {figures['board'] or 'unknown'}, {figures['cores']} cores, {warmth}",
        f"bundle    {figures['bundle']}, detector {figures['detector']}, one thread unless said",
    ]
    for name, stage in figures["stages_ms"].items():
        lines.append(f"{name:<22} p50 {stage['p50']:8.3f} ms   p95 {stage['p95']:8.3f} ms")
    beats = figures["frame_to_decision_ms"]
    if beats is None:
        lines.append("frame to decision: not measured, the scene needs `pip install 'cuelens[demo]'`")
    else:
        lines.append("frame to decision on the built-in scene:")
        for name, beat in beats.items():
            lines.append(f"  {name:<20} p50 {beat['p50']:8.3f} ms   p95 {beat['p95']:8.3f} ms")
    start, memory = figures["start"], figures["memory_mb"]
    lines.append(f"start to first decision: {start['wall_s']:.2f} s, of processor time {start['cpu_s']:.2f} s")
    lines.append(f"memory of this bench: {memory['now']:.0f} MB, at its highest {memory['highest']:.0f} MB")
    return lines
