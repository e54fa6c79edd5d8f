"""Measure the overhead of convert-model over TensorFlow's converter, and the import time of the bundle reader.

    python benchmarks/conversion.py --data DATA [--rounds N]

The shipped network is converted with 500 representative images. The baseline is TensorFlow's converter alone, used as
its guide shows it: from_keras_model, int8 inputs and outputs. convert-model calls the same converter in a shorter way,
which is shown too; it also opens data and network, and evaluates the result on the inner split and the held-out faces.
All run in turn in one process. The figures are processor time of all threads. The stages of convert-model have medians
of their own, which add up to about the whole.
"""

import argparse
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from cuelens_convert.convert import REPRESENTATIVE, SEED, Options, convert
from cuelens_convert.quantise import quantise
from cuelens_convert.representative import choose
from cuelens_convert.rewrite import static
from cuelens_convert.source import open_source
from cuelens_models.bundle import file
from cuelens_models.data.load import load
from cuelens_models.quiet import tensorflow_quiet

SOURCE = file.SHIPPED.with_suffix(".keras")
READER = """
import numpy, time, sys
began = time.perf_counter()
import cuelens_models.bundle.file
took = time.perf_counter() - began
assert not {"tensorflow", "keras"} & sys.modules.keys()
print(took)
"""


class Stages:
    """Steps whose processor time is measured. took_s: of each stage in seconds, by its name, for each round."""

    def __init__(self) -> None:
        self.took_s: dict[str, list[float]] = {}
        self._stage, self._began = "", 0.0

    def stage(self, name: str, count: int = 0) -> None:
        """End the last stage, and begin one. An empty name only ends."""
        del count
        now = time.process_time()
        if self._stage:
            self.took_s.setdefault(self._stage, []).append(now - self._began)
        self._stage, self._began = name, now

    def advance(self, count: float = 1, note: str = "") -> None:
        """Do nothing: steps are not measured."""

    def line(self, text: str) -> None:
        """Do nothing: lines are not shown."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    data = load(options.data)
    source = open_source(SOURCE)
    images = choose(data.training, source.record.protocol, REPRESENTATIVE, SEED).inputs(source.float_input)

    def bare() -> None:
        with tensorflow_quiet():
            converter = tf.lite.TFLiteConverter.from_keras_model(static(source.network))
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: ([face[np.newaxis]] for face in images)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.int8
            converter.convert()

    def ours() -> None:
        quantise(static(source.network), "int8", images)

    stages = Stages()

    def whole() -> None:
        stages.stage("opening the network")
        opened = open_source(SOURCE)
        stages.stage("reading the faces")
        faces = load(options.data)
        convert(opened, faces, Options(), stages)
        stages.stage("")

    bare()  # warm-up: the first conversion of a process is slower
    rounds = [[processor_s(work) for work in (bare, ours, whole)] for _ in range(options.rounds)]
    alone, shorter, together = zip(*rounds, strict=True)
    print(f"converter alone      {np.median(alone):6.2f} s of processor time, median of {options.rounds}")
    print(f"as convert-model calls it {np.median(shorter):.2f} s")
    print(f"all of convert-model {np.median(together):6.2f} s")
    print(f"ratio                {np.median(together) / np.median(alone):6.2f}")
    for name, each_s in stages.took_s.items():
        print(f"  {name:32} {np.median(each_s):6.2f} s")
    print(f"memory               {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:6.2f} GiB at most")
    imports_s = [float(subprocess.check_output([sys.executable, "-c", READER])) for _ in range(9)]
    print(f"bundle reader        {1000 * np.median(imports_s):6.1f} ms to import beyond numpy, without TensorFlow")


def processor_s(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    main()
