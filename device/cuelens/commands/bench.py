"""`cuelens bench`: the time of each stage, of a whole beat and of the start on this board, and advice on settings."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from cuelens.adapters.haar import NAME, HaarDetector
from cuelens.commands.summary import percentile
from cuelens.frame import Frame, Grey
from cuelens.health import board
from cuelens.vision.motion import Motion
from cuelens.vision.optics import Optics
from cuelens.vision.sweep import Sweep
from cuelens_models.bundle.file import SHIPPED, Bundle, load
from cuelens_models.bundle.golden import FORMULAS, picture
from cuelens_models.bundle.interpreter import Interpreter
from cuelens_models.bundle.preprocess import crop, model_input
from cuelens_models.command import to_json

_THREADS: Final = (1, 2, 4)
_WORTHWHILE: Final = 0.8
"""More threads pay if they cut the time to this share or less: other processes need cores too."""
_DEADLINE_MS: Final = 50.0


def bench(bundle_path: Path | None, beside: Sequence[Path] = (), *, as_json: bool) -> int:
    """Measure the board, and print each figure as it comes. Returns 0.

    Args:
        bundle_path: the model; None for the shipped one.
        beside: further bundles to compare in speed.
        as_json: print JSON at the end, and the figures as they come to standard error.
    """
    bundles = [load(bundle_path or SHIPPED), *map(load, beside)]
    cv2.setNumThreads(1)
    figures: dict[str, Any] = {}
    for lines in _measured(bundles, figures):
        print(*lines, sep="\n", file=sys.stderr if as_json else sys.stdout, flush=True)
    if as_json:
        print(to_json(figures))
    return 0


def _measured(bundles: Sequence[Bundle], figures: dict[str, Any]) -> Iterator[list[str]]:
    """Fill in the figures, one after the other, and yield the lines that tell of each."""
    bundle = bundles[0]
    figures |= {
        "board": board.model_name(),
        "cores": os.cpu_count(),
        "temperature_c": board.temperature_c(),
        "under_voltage": board.under_voltage(),
        "bundle": bundle.contract.title(),
        "detector": NAME,
        "stages_ms": {},
        "invoke_ms": {_kind(each): {} for each in bundles},
    }
    yield [
        f"board     {figures['board'] or 'unknown'}, {figures['cores']} cores, {_warmth(figures['temperature_c'])}",
        f"bundle    {figures['bundle']}, detector {NAME}, one thread unless said",
    ]
    width = max(len(_invoke_row(_kind(each), max(_THREADS))) for each in bundles)
    for name, times in _stages(bundle):
        figures["stages_ms"][name] = times
        yield [_row(f"{name:<{width}}", times)]
    for each in bundles:
        for threads, times in _invokes(each):
            figures["invoke_ms"][_kind(each)][str(threads)] = times
            yield [_row(f"{_invoke_row(_kind(each), threads):<{width}}", times)]
    figures["frame_to_decision_ms"] = beats = _beats(bundle)
    rows = [_row(f"  {name:<{width - 2}}", times) for name, times in beats.items()]
    yield ["frame to decision on the built-in scene:", *rows]
    figures["start"] = start = _start(bundle)
    yield [f"start to first decision: {start['wall_s']:.2f} s, of processor time {start['cpu_s']:.2f} s"]
    now_mb, highest_mb = board.resident_mb()
    figures["memory_mb"] = {"now": round(now_mb, 1), "highest": round(highest_mb, 1)}
    figures["temperature_after_c"] = board.temperature_c()
    figures["advice"] = _advice(figures)
    yield [
        f"memory of this bench: {now_mb:.0f} MB, at its highest {highest_mb:.0f} MB",
        f"board at the end: {_warmth(figures['temperature_after_c'])}",
        *(f"advice    {line}" for line in figures["advice"]),
    ]


def _warmth(celsius: float | None) -> str:
    return "temperature not told" if celsius is None else f"{celsius:.0f} C"


def _invoke_row(kind: str, threads: int) -> str:
    return f"invoke {kind}, {threads} thread{'s' * (threads != 1)}"


def _row(name: str, times: dict[str, float]) -> str:
    return f"{name}  p50 {times['p50']:8.3f} ms   p95 {times['p95']:8.3f} ms"


def _kind(bundle: Bundle) -> str:
    """Return a bundle's title in the table: its scheme and its name."""
    return f"{bundle.contract.conversion.scheme} ({bundle.contract.name})"


def _measure(work: Callable[[], object], repeats: int) -> dict[str, float]:
    """Time some work, after a warm-up."""
    for _ in range(max(2, repeats // 20)):
        work()
    times_ns = []
    for _ in range(repeats):
        began = time.perf_counter_ns()
        work()
        times_ns.append(time.perf_counter_ns() - began)
    return _percentiles(times_ns)


def _percentiles(times_ns: list[int]) -> dict[str, float]:
    """Return p50 and p95 in milliseconds."""
    return {"p50": round(percentile(times_ns, 0.5) / 1e6, 3), "p95": round(percentile(times_ns, 0.95) / 1e6, 3)}


def _stages(bundle: Bundle) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield each stage's name and its time alone.

    The picture is seeded noise of several scales: as hard for a cascade as a busy room.
    """
    random = np.random.default_rng(0)
    layers = [
        cv2.resize(random.normal(0, 40, (side * 3, side * 4)), (640, 480), interpolation=cv2.INTER_CUBIC)
        for side in (4, 16, 60)
    ]
    picture = np.clip(np.sum(layers, axis=0) + 128, 0, 255).astype(np.uint8)
    small = cv2.resize(picture, (320, 240), interpolation=cv2.INTER_AREA)
    region = np.ascontiguousarray(small[60:148, 100:188])
    shrunken = cv2.resize(picture, (160, 120), interpolation=cv2.INTER_AREA)
    detector = HaarDetector()
    part, whole = _sweep(detector, picture)
    yield "part of a sweep", part
    yield "sweep of all parts", whole
    yield "the same at once", _measure(lambda: detector.detect(small, 20, 160), 20)
    yield "candidates of a frame", _measure(lambda: detector.candidates(shrunken), 200)
    yield "region scan (88x88)", _measure(lambda: detector.detect(region, 35, 55), 200)
    face = (200, 150, 100, 100)
    yield (
        "crop and quantise",
        _measure(lambda: model_input(crop(picture, face, bundle.contract), bundle.contract), 500),
    )


def _sweep(detector: HaarDetector, picture: Grey) -> tuple[dict[str, float], dict[str, float]]:
    """Time each part of ten sweeps, and each sweep."""
    sweep, frame = Sweep(detector, Optics(), 0.0), Frame(picture, 0.0, 0)
    parts: list[int] = []
    wholes: list[int] = []
    for _ in range(10):
        times_ns = []
        for _ in range(sweep.parts(frame)):
            # Its blocks are missing, so everything has changed.
            began = time.perf_counter_ns()
            sweep.scan(frame, 1, (), Motion(), hits=2, most=1)
            times_ns.append(time.perf_counter_ns() - began)
        parts += times_ns
        wholes.append(sum(times_ns))
    return _percentiles(parts), _percentiles(wholes)


def _invokes(bundle: Bundle) -> Iterator[tuple[int, dict[str, float]]]:
    """Yield each number of threads, and the model's time with it."""
    tensor = model_input(picture(FORMULAS[0]), bundle.contract)
    for threads in _THREADS:
        yield threads, _measure(partial(Interpreter(bundle, threads).invoke, tensor), 500)


def _beats(bundle: Bundle) -> dict[str, dict[str, float]]:
    """Time whole beats on the built-in scene."""
    from cuelens.adapters.demo_scene import SceneSource, demo_scene
    from cuelens.runtime.build import assemble
    from cuelens.vision.stage_times import StageTimes

    source = SceneSource(demo_scene())
    watch = StageTimes()
    beats = assemble(HaarDetector(), Interpreter(bundle), watch)
    while (frame := source.read(0)) is not None:
        beats.process(frame)
    kinds = {"all beats": None, "a face followed": "region", "nobody yet": "sweep"}
    return {
        name: _percentiles(totals)
        for name, kind in kinds.items()
        if (totals := [beat[1] for beat in watch.beats if kind in (None, beat[0])])
    }


def _start(bundle: Bundle) -> dict[str, float]:
    """Time a new process from its start to its first decision, on one grey picture."""
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


def _advice(figures: dict[str, Any]) -> list[str]:
    """Return advice on settings from the measurements."""
    advice = []
    fastest = min(figures["invoke_ms"], key=lambda kind: figures["invoke_ms"][kind]["1"]["p50"])
    times = {threads: figures["invoke_ms"][fastest][str(threads)]["p50"] for threads in _THREADS}
    threads = 1
    for more in _THREADS[1:]:
        if more <= (figures["cores"] or 1) and times[more] <= _WORTHWHILE * times[threads]:
            threads = more
    gain = f"{times[1]:.2f} ms with one thread" if threads > 1 else "more are not worth it here"
    advice.append(f"[threads] model = {threads}: {times[threads]:.2f} ms an invoke, {gain}")
    for kind, invokes in figures["invoke_ms"].items():
        if kind != fastest:
            advice.append(f"model: {fastest}; {kind} takes {invokes['1']['p50'] / times[1]:.1f} times as long")
    beats = figures["frame_to_decision_ms"]
    if beats:
        p95 = beats["all beats"]["p95"]
        verdict = "under" if p95 < _DEADLINE_MS else "OVER"
        advice.append(
            f"nineteen of twenty decisions take {p95:.0f} ms or less: {verdict} the {_DEADLINE_MS:.0f} ms promised"
        )
        if p95 >= _DEADLINE_MS:
            advice.append("[look] farthest_m = 1.5 costs half as much to sweep, and loses faces beyond that")
    if figures["under_voltage"]:
        advice.append("the supply is too weak right now: all of this is slower than it could be")
    return advice
