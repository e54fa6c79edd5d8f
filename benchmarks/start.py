"""Time from start to the first reading of a face, compared with a minimal script.

    python benchmarks/start.py [--rounds 7]

cuelens: `cuelens run` on one picture for 0.7 s of frame time. In this time it sweeps the whole picture, finds the face
and reads it. Bare: a short script with one Haar scan of the same picture and one invoke of the same model. The figures
are medians of the processor time of whole processes; the two run in turn. All find compiled bytecode, as every
installation has it. OpenBLAS begins a thread a core in the bare script, and on idle cores these spin; `cuelens run`
has none. So a second figure compares it with the same script without these threads.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2

from cuelens.adapters.demo_scene import demo_scene
from cuelens_models.bundle.file import SHIPPED

BARE = """
import sys
import cv2
import numpy as np
from ai_edge_litert.interpreter import Interpreter

cv2.setNumThreads(1)
picture = cv2.imread(sys.argv[1], cv2.IMREAD_GRAYSCALE)
cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_alt2.xml")
small = cv2.resize(picture, (320, 240), interpolation=cv2.INTER_AREA)
boxes = cascade.detectMultiScale(small, 1.15, 4, 0, (20, 20), (240, 240))
x, y, w, h = (2 * int(value) for value in boxes[0])
face = cv2.resize(picture[y : y + h, x : x + w], (48, 48), interpolation=cv2.INTER_AREA)
interpreter = Interpreter(sys.argv[2])
interpreter.allocate_tensors()
source = interpreter.get_input_details()[0]
target = interpreter.get_output_details()[0]
scale, zero = source["quantization"]
tensor = np.round(face / 255 / scale + zero).clip(-128, 127).astype(np.int8)[None, :, :, None]
interpreter.set_tensor(source["index"], tensor)
interpreter.invoke()
scale, zero = target["quantization"]
logits = (interpreter.get_tensor(target["index"])[0].astype(float) - zero) * scale
exponentials = np.exp(logits - logits.max())
print(exponentials / exponentials.sum())
"""


def processor_s(command: list[str], proof: bytes, **more: str) -> float:
    """Return the processor time of a process. Its output must contain `proof` that it did its work.

    more: variables of its environment.
    """
    left_out = ("PYTHONDONTWRITEBYTECODE", "OPENBLAS_NUM_THREADS")
    environment = {name: value for name, value in os.environ.items() if name not in left_out} | more
    before = os.times()
    done = subprocess.run(command, capture_output=True, check=True, env=environment)
    after = os.times()
    assert proof in done.stdout, "there is no reading"
    return after.children_user + after.children_system - before.children_user - before.children_system


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as folder:
        picture = Path(folder) / "face.png"
        grey, faces = demo_scene().picture(75)
        assert faces, "the scene shows a face at 5 s"
        cv2.imwrite(str(picture), grey)
        ours = [
            sys.executable,
            "-m",
            "cuelens",
            "run",
            "--source",
            str(picture),
            "--as-fast",
            "--seconds",
            "0.7",
            "--events",
            "-",
        ]
        bare = [sys.executable, "-c", BARE, str(picture), str(SHIPPED)]

        def in_turn() -> tuple[float, float, float]:
            alone_s = processor_s(bare, b"[", OPENBLAS_NUM_THREADS="1")
            return processor_s(ours, b"reading"), processor_s(bare, b"["), alone_s

        in_turn()
        times = [in_turn() for _ in range(rounds)]
    ours_s, bare_s, alone_s = (statistics.median(column) for column in zip(*times, strict=True))
    print(f"start to first reading, processor time, median of {rounds}:")
    print(f"  cuelens run {ours_s:.3f} s   bare script {bare_s:.3f} s   ratio {ours_s / bare_s:.2f}")
    print(f"  the script without threads of OpenBLAS {alone_s:.3f} s   ratio {ours_s / alone_s:.2f}")


if __name__ == "__main__":
    main()
