"""Where a conversion loses what it loses: signal to noise after each layer, and how unlike one layer's weights are."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter as LiteRt
from ai_edge_litert.interpreter import OpResolverType
from numpy.typing import NDArray

from cuelens_models.quiet import native_quiet

WIDE: Final = 20.0
"""A layer whose weights spread more than this has little room in int8: healthy ones have 3 to 5."""
NOISY_DB: Final = 20.0
"""Signal to noise below which a layer is named, once its error is more than a step of its own scale."""
_IMAGES: Final = 32
_ANSWER: Final = "StatefulPartitionedCall"
"""What the converter calls the tensor that a network answers with."""
_WEIGHED: Final = ("CONV_2D", "FULLY_CONNECTED")


@dataclass(frozen=True, slots=True)
class LayerError:
    """What one layer gives after conversion against before. steps: root mean square error in steps of its scale."""

    name: str
    snr_db: float
    steps: float

    @property
    def to_blame(self) -> bool:
        """Return whether it lost what scales of its own cannot explain."""
        return self.snr_db < NOISY_DB and self.steps > 1


def layer_errors(before: bytes, after: bytes, images: NDArray[np.float32]) -> list[LayerError]:
    """Return the error after each layer that both models name alike, in order.

    before: the model as float32. images: float (n, height, width, channels), of which the first few are used.
    """
    float_side, converted_side = _Watched(before), _Watched(after)
    shared = [name for name in float_side.names if name in converted_side.names]
    signal, noise = dict.fromkeys(shared, 0.0), dict.fromkeys(shared, 0.0)
    count = min(_IMAGES, len(images))
    for image in images[:count]:
        expected, given = float_side.run(image), converted_side.run(image)
        for name in shared:
            signal[name] += float((expected[name] ** 2).mean()) / count
            noise[name] += float(((given[name] - expected[name]) ** 2).mean()) / count
    return [
        LayerError(
            plain(name),
            float(10 * np.log10(max(signal[name], 1e-20) / max(noise[name], 1e-20))),
            float(np.sqrt(noise[name]) / (converted_side.scale(name) or 1.0)),
        )
        for name in shared
    ]


def spreads(model: bytes) -> dict[str, float]:
    """Return for each convolution and dense layer how many times its widest input channel is the median one.

    model: as float32, with batch norm folded in. A channel is as wide as its largest weight.
    """
    content = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    graph = content.subgraphs[0]
    kinds = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    found = {}
    for operator in graph.operators:
        code = content.operatorCodes[operator.opcodeIndex]
        if kinds[max(code.builtinCode, code.deprecatedBuiltinCode)] not in _WEIGHED:
            continue
        weights = graph.tensors[operator.inputs[1]]
        data = content.buffers[weights.buffer].data
        if data is None:
            continue
        values = np.abs(np.asarray(data, np.uint8).view(np.float32).reshape(weights.shape))
        width = values.reshape(-1, values.shape[-1]).max(axis=0)
        if np.median(width) > 0:
            name = plain(graph.tensors[operator.outputs[0]].name.decode())
            found[name] = float(width.max() / np.median(width))
    return found


def plain(tensor: str) -> str:
    """Return the layer's own name for a tensor's: the converter joins several, with the network's before each."""
    parts = tensor.partition(";")[0].split("/")
    if len(parts) < 2:
        return "output" if tensor.startswith(_ANSWER) else tensor
    return re.sub(r"_\d+$", "", parts[-2])


class _Watched:
    """A model whose every tensor can be read after it ran, without a delegate."""

    def __init__(self, model: bytes) -> None:
        self._model = model  # the runtime keeps a pointer to it
        with native_quiet():
            self._runtime: Any = LiteRt(
                model_content=model,
                experimental_preserve_all_tensors=True,
                experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
            self._runtime.allocate_tensors()
        written = {int(index) for each in self._runtime._get_ops_details() for index in each["outputs"]}  # noqa: SLF001
        self._tensors = {
            self._called(each): each for each in self._runtime.get_tensor_details() if each["index"] in written
        }
        (self._input,) = self._runtime.get_input_details()

    @property
    def names(self) -> list[str]:
        return list(self._tensors)

    def scale(self, name: str) -> float:
        return float(self._tensors[name]["quantization"][0])

    def run(self, image: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
        scale, zero = self._input["quantization"]
        given: NDArray[Any] = image[np.newaxis]
        if scale:
            limits = np.iinfo(self._input["dtype"])
            given = np.clip(np.rint(given / scale) + zero, limits.min, limits.max)
        self._runtime.set_tensor(self._input["index"], given.astype(self._input["dtype"]))
        self._runtime.invoke()
        return dict(self._read())

    def _read(self) -> Iterator[tuple[str, NDArray[np.float64]]]:
        for name, tensor in self._tensors.items():
            scale, zero = tensor["quantization"]
            raw = self._runtime.get_tensor(tensor["index"]).astype(np.float64)
            yield name, (raw - zero) * scale if scale else raw

    def _called(self, tensor: dict[str, Any]) -> str:
        outputs = [each["index"] for each in self._runtime.get_output_details()]
        return _ANSWER if tensor["index"] in outputs else str(tensor["name"])
