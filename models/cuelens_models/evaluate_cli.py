"""The command `evaluate-model`: what a model scores on faces that nothing was chosen on."""

from pathlib import Path

import msgspec

from cuelens_models import command
from cuelens_models.data.load import load
from cuelens_models.data.protocols import PROTOCOLS
from cuelens_models.evaluate import evaluate

_EXAMPLES = """\
example:
  evaluate-model mine.tflite --data faces/ --protocol ferplus8"""


def main() -> None:
    """Evaluate a model."""
    options = command.parser("evaluate-model", "Measure a bundle or a .keras file on held-out faces.", _EXAMPLES)
    options.add_argument("model", type=Path, metavar="MODEL", help="a bundle, or a .keras file that train-model wrote")
    options.add_argument("--data", type=Path, required=True, help="fer2013.csv, an .npz, or a folder of faces (README)")
    options.add_argument("--protocol", default="ferplus8", choices=PROTOCOLS, help="(default: %(default)s)")
    options.add_argument("--json", action="store_true", help="print JSON")
    given = options.parse_args()

    def work() -> int:
        figures = evaluate(given.model, load(given.data), given.protocol)
        if given.json:
            print(msgspec.json.format(msgspec.json.encode(figures)).decode())
            return 0
        print(f"{figures['protocol']}, {figures['images']} images")
        print(f"accuracy {figures['accuracy']:.2%}, macro-F1 {figures['macro_f1']:.3f}, ECE {figures['ece']:.3f}")
        print("recall    " + "  ".join(f"{word} {value:.0%}" for word, value in figures["recall"].items()))
        print(
            "coverage  " + "  ".join(f"{float(share):.0%}: {value:.1%}" for share, value in figures["coverage"].items())
        )
        return 0

    command.finish("evaluate-model", work, debug=given.debug)
