"""Draw the plots of the documentation from the figures in docs/results.

    python -m benchmarks.plots    # or `make plots`

Each file of figures is written by a benchmark:

    python benchmarks/zoo.py RUNS --data DATA                                       models.json
    python benchmarks/false_cues.py --seeds 1 2 ... 12 --curve docs/results/cues.json
    python benchmarks/anatomy.py --json docs/results/beat.json
    python benchmarks/beat.py --growth docs/results/growth.json
    python -m benchmarks.soak --minutes 22 --json docs/results/memory.json
    python -m benchmarks.heads strengths --json docs/results/smiles.json
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from benchmarks.plots import anatomy, growth, latency, memory, models, policy, smiles

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
PLOTS: Final[dict[str, tuple[Callable[..., str], tuple[str, ...]]]] = {
    "models.svg": (models.draw, ("results/models.json",)),
    "cues.svg": (policy.draw, ("results/cues.json",)),
    "latency.svg": (latency.draw, ("results/beat.json", "boards/model-of-a53.json")),
    "beat.svg": (anatomy.draw, ("results/beat.json",)),
    "growth.svg": (growth.draw, ("results/growth.json",)),
    "memory.svg": (memory.draw, ("results/memory.json",)),
    "smiles.svg": (smiles.draw, ("results/smiles.json",)),
}
"""What draws each picture, and the files of figures that it is given."""


def drawn(name: str) -> str:
    """Return a picture, drawn anew."""
    draw, files = PLOTS[name]
    figures: list[Any] = [msgspec.json.decode((DOCS / file).read_bytes()) for file in files]
    return draw(*figures)


def main() -> None:
    for name in PLOTS:
        (DOCS / name).write_text(drawn(name), "utf-8")
        print(DOCS / name)


if __name__ == "__main__":
    main()
