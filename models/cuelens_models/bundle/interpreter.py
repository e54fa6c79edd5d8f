"""The TFLite runtime of a bundle: LiteRT, or the older tflite_runtime where only that is installed.

`ai-edge-litert` runs int8 on XNNPACK and has wheels for every supported Python. `tflite_runtime` ended at Python
3.11 and numpy 1, and runs int8 several times slower, so it is only the fallback.
"""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cuelens_models.bundle import golden, scores
from cuelens_models.bundle.file import Bundle
from cuelens_models.bundle.pixels import Grey
from cuelens_models.bundle.preprocess import model_input
from cuelens_models.errors import BadBundle, GoldenMismatch, MissingExtra, NoAnswer
from cuelens_models.quiet import native_quiet


class Interpreter:
    """One loaded model. Not thread-safe."""

    def __init__(self, bundle: Bundle, threads: int = 1) -> None:
        """Load the model. Raises BadBundle if the runtime refuses it, MissingExtra without a runtime."""
        self.contract = bundle.contract
        self.runtime, interpreter_type = find_runtime()
        try:
            # The interpreter keeps a pointer to these bytes, so they must live as long as it.
            self._model = bundle.model
            with native_quiet():
                self._interpreter = interpreter_type(model_content=self._model, num_threads=threads)
                self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise BadBundle(f"{self.runtime} refuses the model of {bundle.path}: {error}") from error
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]

    def invoke(self, tensor: NDArray[Any]) -> NDArray[Any]:
        """Return the raw outputs, (labels,). Raises NoAnswer if the model fails on this picture.

        tensor: the contract's dtype, (1, height, width, channels).
        """
        self._interpreter.set_tensor(self._input, tensor)
        try:
            self._interpreter.invoke()
        except (RuntimeError, ValueError) as error:
            reason = " ".join(str(error).split())
            raise NoAnswer(f"{self.contract.title()} cannot answer a picture ({self.runtime}: {reason})") from error
        output: NDArray[Any] = self._interpreter.get_tensor(self._output)[0]
        if output.dtype.kind == "f" and not np.isfinite(output).all():
            raise NoAnswer(f"{self.contract.title()} answers a picture with what is no number")
        return output

    def outputs(self, face: Grey) -> scores.Scores:
        """Return the dequantised outputs for one cropped face."""
        return scores.dequantise(self.invoke(model_input(face, self.contract)), self.contract.output)

    def check_golden(self) -> None:
        """Replay the golden samples. Raises GoldenMismatch if an output is not the one stored in the bundle."""
        mismatches = golden.differences(self.contract, self.outputs)
        if mismatches:
            raise GoldenMismatch(
                f"{self.contract.title()} answers differently here ({self.runtime}, numpy {np.__version__}):"
                f" {'; '.join(mismatches)}"
            )


def find_runtime() -> tuple[str, Any]:
    """Return the name of the installed runtime, and its class of interpreters. Raises MissingExtra without one."""
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
        # Under numpy 2 it imports, and fails later with a SystemError: refuse it here.
        raise MissingExtra(
            f"tflite_runtime needs numpy 1, here is {np.__version__}: run `pip install ai-edge-litert`"
            f" (Python {sys.version_info.major}.{sys.version_info.minor})"
        )
    return "tflite_runtime", TfliteRuntime
