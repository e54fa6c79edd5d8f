"""Write docs/boards.md from the measurements of boards, and from the model of the smallest board.

    python benchmarks/boards.py

To add a board, run `cuelens bench --json > NAME.json` on it, and put the file into docs/boards. The model is written by
`python benchmarks/board_model.py --json docs/boards/model-of-a53.json`.
"""

from pathlib import Path
from typing import Any, Final

import msgspec

DOCS: Final = Path(__file__).resolve().parents[1] / "docs"
MODEL: Final = "model-of-a53.json"


def main() -> None:
    files = sorted(file for file in (DOCS / "boards").glob("*.json") if file.name != MODEL)
    boards = [msgspec.json.decode(file.read_bytes()) for file in files]
    page = [
        "# Boards",
        "",
        "`python benchmarks/boards.py` writes this page. To add a board, run `cuelens bench --json > NAME.json` on it,",
        "put the file into docs/boards, and run that command.",
        "",
        "## Measured",
        "",
        *(_measured(boards) if boards else ["No board has been measured yet.", ""]),
        "## The smallest board, as a model",
        "",
        *_model(msgspec.json.decode((DOCS / "boards" / MODEL).read_bytes())),
        "## Where the time goes",
        "",
        "`python benchmarks/anatomy.py --json docs/results/beat.json` measures every part of a beat on one x86-64",
        "core, and `make plots` draws it, with the estimate above beside it.",
        "",
        "![each stage of a beat: measured on a workstation, estimated for the smallest board](latency.svg)",
        "",
        "![what a typical beat does, in order](beat.svg)",
        "",
    ]
    (DOCS / "boards.md").write_text("\n".join(page))
    print(f"{DOCS / 'boards.md'}: {len(boards)} boards and a model")


def _measured(boards: list[dict[str, Any]]) -> list[str]:
    lines = [
        "Milliseconds, p50 and p95. Rows that name no Raspberry Pi are workstations, for comparison.",
        "",
        "| board | decision, all beats | a face followed | nobody yet | a model's invoke | start | memory | heat |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for figures in boards:
        beats = figures["frame_to_decision_ms"] or {}
        invoke = next(iter(figures["invoke_ms"].values()))["1"]
        heat = figures["temperature_after_c"]
        cells = [
            figures["board"] or "unknown",
            *(_pair(beats.get(kind)) for kind in ("all beats", "a face followed", "nobody yet")),
            _pair(invoke),
            f"{figures['start']['cpu_s']} s",
            f"{figures['memory_mb']['highest']:.0f} MB",
            "unknown" if heat is None else f"{heat:.0f} C",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _pair(figure: dict[str, float] | None) -> str:
    return "not measured" if figure is None else f"{figure['p50']:.2f}, {figure['p95']:.2f}"


def _model(figures: dict[str, tuple[float, float, float]]) -> list[str]:
    lines = [
        "**An estimate, no measurement.** `benchmarks/board_model.py` counts instructions on an emulated Cortex-A53.",
        "The counts repeat to 0.01 %. Milliseconds are for one thread at 1 GHz on an idle board. They assume one",
        "instruction a cycle (optimistic), or half of one because the core waits for memory (pessimistic). The delay",
        "of the camera is left out, and so is the load of kernel, sound and page. `cuelens bench` on a Zero 2 W",
        "replaces it.",
        "",
        "| what | million instructions | ms, optimistic | ms, pessimistic |",
        "|---|---|---|---|",
    ]
    for name, (instructions, optimistic, pessimistic) in figures.items():
        lines.append(f"| {name} | {instructions / 1e6:.2f} | {optimistic:.1f} | {pessimistic:.1f} |")
    return [*lines, ""]


if __name__ == "__main__":
    main()
