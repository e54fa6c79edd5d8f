"""Error of each layer after conversion: its signal-to-noise ratio, and the spread of its weights."""

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
"""Spread of a layer's weights above which int8 steps are too coarse for most of them. Healthy layers have 3 to 5."""
NOISY_DB: Final = 20.0
"""Signal-to-noise ratio below which a layer is to blame, if its error also exceeds one step of its scale."""
_IMAGES: Final = 32
_OUTPUT: Final = "Identity"
"""Name that the converter gives to the output tensor of a network."""
_WEIGHTED: Final = ("CONV_2D", "FULLY_CONNECTED")


@dataclass(frozen=True, slots=True)
class LayerError:
    """Error of one layer. snr_db: signal-to-noise ratio. steps: root mean square error, in steps of the int8 scale."""

    name: str
    snr_db: float
    steps: float

    @property
    def to_blame(self) -> bool:
        """Return whether its error is larger than the rounding of its own output explains."""
        return self.snr_db < NOISY_DB and self.steps > 1


def measure(before: bytes, after: bytes, images: NDArray[np.float32]) -> list[LayerError]:
    """Return the error after each layer that both models have, in order.

    Args:
        before: the float32 model.
        after: the converted model.
        images: float (n, height, width, channels), of which the first 32 are used.
    """
    float_side, converted_side = _TensorReader(before), _TensorReader(after)
    shared = [name for name in float_side.names if name in converted_side.names]
    signal, noise = dict.fromkeys(shared, 0.0), dict.fromkeys(shared, 0.0)
    count = min(_IMAGES, len(images))
    for image in images[:count]:
        expected, actual = float_side.run(image), converted_side.run(image)
        for name in shared:
            signal[name] += float((expected[name] ** 2).mean()) / count
            noise[name] += float(((actual[name] - expected[name]) ** 2).mean()) / count
    return [
        LayerError(
            layer_name(name),
            float(10 * np.log10(max(signal[name], 1e-20) / max(noise[name], 1e-20))),
            float(np.sqrt(noise[name]) / (converted_side.scale(name) or 1.0)),
        )
        for name in shared
    ]


def weight_spreads(model: bytes) -> dict[str, float]:
    """Return the spread of each convolution and dense layer: its widest input channel divided by the median one.

    model: float32, with batch norm folded in. The width of a channel is its largest absolute weight.
    """
    content = schema.ModelT.InitFromObj(schema.Model.GetRootAs(model, 0))
    graph = content.subgraphs[0]
    kinds = {value: name for name, value in vars(schema.BuiltinOperator).items() if isinstance(value, int)}
    spread = {}
    for operator in graph.operators:
        code = content.operatorCodes[operator.opcodeIndex]
        if kinds[max(code.builtinCode, code.deprecatedBuiltinCode)] not in _WEIGHTED:
            continue
        weights = graph.tensors[operator.inputs[1]]
        data = content.buffers[weights.buffer].data
        if data is None:
            continue
        values = np.abs(np.asarray(data, np.uint8).view(np.float32).reshape(weights.shape))
        width = values.reshape(-1, values.shape[-1]).max(axis=0)
        if np.median(width) > 0:
            name = layer_name(graph.tensors[operator.outputs[0]].name.decode())
            spread[name] = float(width.max() / np.median(width))
    return spread


def layer_name(tensor: str) -> str:
    """Return the layer's name in a tensor's: the converter joins names with `;`, and prefixes the network's."""
    parts = tensor.partition(";")[0].split("/")
    if len(parts) < 2:
        return "output" if tensor.startswith(_OUTPUT) else tensor
    return re.sub(r"_\d+$", "", parts[-2])


class _TensorReader:
    """Runs a model without a delegate, and reads the output of every operation."""

    def __init__(self, model: bytes) -> None:
        self._model = model  # the runtime points into it
        with native_quiet():
            self._runtime: Any = LiteRt(
                model_content=model,
                experimental_preserve_all_tensors=True,
                experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            )
            self._runtime.allocate_tensors()
        outputs = {int(index) for each in self._runtime._get_ops_details() for index in each["outputs"]}  # noqa: SLF001
        self._tensors = {
            self._name(each): each for each in self._runtime.get_tensor_details() if each["index"] in outputs
        }
        (self._input,) = self._runtime.get_input_details()

    @property
    def names(self) -> list[str]:
        return list(self._tensors)

    def scale(self, name: str) -> float:
        return float(self._tensors[name]["quantization"][0])

    def run(self, image: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
        scale, zero = self._input["quantization"]
        tensor: NDArray[Any] = image[np.newaxis]
        if scale:
            limits = np.iinfo(self._input["dtype"])
            tensor = np.clip(np.rint(tensor / scale) + zero, limits.min, limits.max)
        self._runtime.set_tensor(self._input["index"], tensor.astype(self._input["dtype"]))
        self._runtime.invoke()
        return dict(self._read())

    def _read(self) -> Iterator[tuple[str, NDArray[np.float64]]]:
        for name, tensor in self._tensors.items():
            scale, zero = tensor["quantization"]
            raw = self._runtime.get_tensor(tensor["index"]).astype(np.float64)
            yield name, (raw - zero) * scale if scale else raw

    def _name(self, tensor: dict[str, Any]) -> str:
        outputs = [each["index"] for each in self._runtime.get_output_details()]
        return _OUTPUT if tensor["index"] in outputs else str(tensor["name"])
