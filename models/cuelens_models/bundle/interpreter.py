"""The TFLite runtime behind a bundle: LiteRT, or the older tflite_runtime where only that is installed.

`ai-edge-litert` hands int8 to XNNPACK and has wheels for every Python here. `tflite_runtime` ended at Python 3.11
and numpy 1, and runs int8 several times slower; it is used where it is the only one there.
"""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle import golden, scores
from cuelens_models.bundle.file import Bundle
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.preprocess import model_input
from cuelens_models.errors import BadBundle, GoldenMismatch, MissingExtra
from cuelens_models.quiet import native_quiet


class Interpreter:
    """One loaded model. Not safe for use from two threads at once."""

    def __init__(self, bundle: Bundle, threads: int = 1) -> None:
        """Load the model. Raises BadBundle if the runtime refuses it, MissingExtra without a runtime."""
        self.contract = bundle.contract
        self.runtime, interpreter_type = _find_runtime()
        try:
            # The interpreter keeps a pointer to these bytes, so they must live as long as it does.
            self._model = bundle.model
            with native_quiet():
                self._interpreter = interpreter_type(model_content=self._model, num_threads=threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise BadBundle(f"{self.runtime} refuses the model of {bundle.path}: {error}") from error
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def invoke(self, tensor: NDArray[Any]) -> NDArray[Any]:
        """Run the model. tensor: the contract's dtype, (1, height, width, channels). Returns (labels,), raw."""
        self._interpreter.set_tensor(self._input, tensor)
        self._interpreter.invoke()
        output: NDArray[Any] = self._interpreter.get_tensor(self._output)[0]
        return output

    def outputs(self, face: Grey) -> scores.Scores:
        """Return the dequantised outputs for one cropped face."""
        return scores.dequantise(self.invoke(model_input(face, self.contract)), self.contract.output)

    def check_golden(self) -> None:
        """Raise GoldenMismatch if the golden pictures do not give the answers that the bundle carries."""
        found = golden.differences(self.contract, self.outputs)
        if found:
            raise GoldenMismatch(
                f"{self.contract.title()} answers differently here ({self.runtime}, numpy {np.__version__}):"
                f" {'; '.join(found)}"
            )


def _find_runtime() -> tuple[str, Any]:
    try:
        from ai_edge_litert.interpreter import Interpreter as LiteRt
    except ImportError:
        pass
    else:
        return "ai-edge-litert", LiteRt
    try:
        from tflite_runtime.interpreter import Interpreter as TfliteRuntime
    except ImportError:
        raise MissingExtra("no TFLite runtime is installed: run `pip install ai-edge-litert`") from None
    if int(np.__version__.partition(".")[0]) > 1:
        # It imports under numpy 2 and fails later with a SystemError; say so before that.
        raise MissingExtra(
            f"tflite_runtime needs numpy 1, here is {np.__version__}: run `pip install ai-edge-litert`"
            f" (Python {sys.version_info.major}.{sys.version_info.minor})"
        )
    return "tflite_runtime", TfliteRuntime
