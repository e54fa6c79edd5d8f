"""Write docs/speed.md from figures that were measured: of boards, of their model, and of the parts of a beat.

    python benchmarks/speed.py

It reads what stands in docs/boards (`cuelens bench --json`, and the model of the smallest board) and in docs/results
(beat.json and growth.json). What is not there is said to be missing, with the command that measures it. Boards
themselves have a page of their own, docs/boards.md.
"""

from pathlib import Path
from typing import Any, Final

import msgspec
from boards import MODEL

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"
PAGE: Final = DOCS / "speed.md"
GOAL_MS: Final = 50.0
"""From the exposure of a frame to a decision, for nineteen of twenty frames (docs/design.md, section 3)."""
BEATS_A_SECOND: Final = 15


def page(docs: Path) -> str:
    """Return the page from the results in a folder of documents."""
    files = sorted(file for file in (docs / "boards").glob("*.json") if file.name != MODEL)
    lines = [
        "# How fast",
        "",
        "`make speed` writes this page from the results in docs/boards and docs/results. To change it, measure again.",
        "",
        f"**The goal:** nineteen of twenty decisions within {GOAL_MS:g} ms of the frame, {BEATS_A_SECOND} times a",
        "second, on a Raspberry Pi Zero 2 W. A cue comes later all the same: an expression has to last for about a",
        "second first.",
        "",
        "## On a board",
        "",
        *_boards([msgspec.json.decode(file.read_bytes()) for file in files]),
        "## The smallest board, estimated",
        "",
        *_model(_read(docs / "boards" / MODEL)),
        "## What a beat is made of",
        "",
        *_beat(_read(docs / "results" / "beat.json")),
        "## More faces, larger pictures",
        "",
        *_growth(_read(docs / "results" / "growth.json")),
        "## Measure it yourself",
        "",
        "| what | command |",
        "|---|---|",
        "| the beat, the start and the memory of your machine | `cuelens bench` |",
        "| the beat beside the bare calls in it | `taskset -c 0 python benchmarks/beat.py` |",
        "| instructions on an emulated Cortex-A53 | `python benchmarks/board_model.py` |",
        "| a cue that is asked for, to light and sound | `python benchmarks/cue_latency.py` |",
        "| the start | `python benchmarks/start.py` |",
        "",
        "[reliability.md](reliability.md) says how long faults last, [boards.md](boards.md) has every board.",
        "",
    ]
    return "\n".join(lines)


def _read(file: Path) -> Any:
    return msgspec.json.decode(file.read_bytes()) if file.exists() else None


def _boards(boards: list[dict[str, Any]]) -> list[str]:
    if not boards:
        return [
            "**No board has been measured yet.** Please measure yours, and send it:",
            "[CONTRIBUTING.md](../CONTRIBUTING.md#how-to-add-) says how.",
            "",
        ]
    lines = ["| board | decision, p50 and p95 | within the goal |", "|---|---|---|"]
    for figures in boards:
        beats = (figures["frame_to_decision_ms"] or {}).get("all beats")
        if beats:
            kept = "yes" if beats["p95"] <= GOAL_MS else "**no**"
            lines.append(f"| {figures['board'] or 'unknown'} | {beats['p50']:.1f}, {beats['p95']:.1f} ms | {kept} |")
    return [*lines, ""]


def _model(figures: dict[str, tuple[float, float, float]] | None) -> list[str]:
    if figures is None:
        return ["Not counted yet.", ""]
    _, quick, slow = next(found for name, found in figures.items() if name.startswith("frame to decision, p95"))
    parts = {name: figures[name][0] for name in ("cascade and looks, mean", "invoke, one face", "all else, mean")}
    whole = figures["frame to decision, mean"]
    period_ms = 1000 / BEATS_A_SECOND
    lines = [
        "**An estimate, no measurement**: instructions on an emulated Cortex-A53, for one thread at 1 GHz, at one",
        "instruction a cycle and at half of one ([boards.md](boards.md) has all of it).",
        "",
        "| figure | value |",
        "|---|---|",
        f"| frame to decision, nineteen of twenty | {quick:.0f} to {slow:.0f} ms, of {GOAL_MS:g} |",
        f"| share of one core, on average | {whole[1] / period_ms:.0%} to {whole[2] / period_ms:.0%} |",
        *(f"| {name} | {count / 1e6:.1f} million instructions |" for name, count in parts.items()),
        "",
    ]
    return [line.replace("%", " %") if "share of one core" in line else line for line in lines]


def _beat(result: dict[str, Any] | None) -> list[str]:
    if result is None:
        return ["Not measured in this version: `make speed` fills this in from docs/results/beat.json.", ""]
    stages = list(next(iter(result["kinds"].values()))["stages"])
    lines = [
        "Milliseconds of processor time of one workstation core, on the built-in scene. Trust the shares more.",
        "",
        f"| kind of beat | beats | whole, mean | whole, p95 | {' | '.join(stages)} |",
        f"|---|---|---|---|{'---|' * len(stages)}",
    ]
    for name, kind in result["kinds"].items():
        shares = [f"{kind['stages'][stage]['mean'] / kind['whole']['mean']:.0%}".replace("%", " %") for stage in stages]
        whole = kind["whole"]
        lines.append(f"| {name} | {kind['beats']} | {whole['mean']:.2f} | {whole['p95']:.2f} | {' | '.join(shares)} |")
    return [*lines, ""]


def _growth(result: dict[str, Any] | None) -> list[str]:
    if result is None:
        return ["Not measured in this version: `make speed` fills this in from docs/results/growth.json.", ""]
    lines = ["Mean beat in milliseconds of one workstation core.", "", "| faces in view | ms |", "|---|---|"]
    lines += [f"| {count} | {ms:.1f} |" for count, ms in result["faces"].items()]
    lines += ["", "| width of the picture, pixels | ms |", "|---|---|"]
    return [*lines, *(f"| {width} | {ms:.1f} |" for width, ms in result["widths"].items()), ""]


def main() -> None:
    PAGE.write_text(page(DOCS), "utf-8")
    print(PAGE)


if __name__ == "__main__":
    main()
