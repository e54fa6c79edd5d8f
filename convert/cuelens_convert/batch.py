"""Several networks, each converted by a process of its own: TensorFlow gives memory back to nobody."""

import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from cuelens_models.atomic_file import make_folder
from cuelens_models.bundle import file
from cuelens_models.bundle.contract import Contract
from cuelens_models.errors import BadInput, CuelensError

_KEPT = ("labels", "pixels", "protocol", "scheme", "images", "seed", "fine_tune", "max_drop", "max_class_drop")


@dataclass(frozen=True, slots=True)
class Ended:
    """How one conversion ended. contract: of the bundle, None if there is none. said: its last word."""

    model: Path
    status: int
    contract: Contract | None
    said: str


def command_line(given: Namespace) -> list[str]:
    """Return the options of a conversion as they were given, or are by default, without the folders of the files."""
    words = ["convert-model", given.models[0].name, "--data", given.data.name, "-o", given.output.name]
    if given.representative:
        words += ["--representative", given.representative.name]
    return words + _options(given)


def convert_all(given: Namespace) -> int:
    """Convert each into the folder OUT; return the greatest exit status of them, 0 if all were written."""
    outputs = {model: given.output / f"{model.stem}.tflite" for model in given.models}
    if len(set(outputs.values())) < len(given.models):
        raise BadInput("two of the models have one name, and would be written to one file: convert them apart")
    make_folder(given.output)
    began = time.monotonic()
    ended: dict[Path, Ended] = {}
    with ThreadPoolExecutor(given.jobs) as pool:
        waiting = [pool.submit(_converted, given, model, output) for model, output in outputs.items()]
        for number, done in enumerate(as_completed(waiting), start=1):
            one = done.result()
            ended[one.model] = one
            print(
                f"{number} of {len(waiting)}, {time.monotonic() - began:.0f} s: {one.model.name}: {one.said}",
                flush=True,
            )
    print("\n".join(_table([ended[model] for model in given.models])))
    return max(one.status for one in ended.values())


def _converted(given: Namespace, model: Path, output: Path) -> Ended:
    words = [str(model), "--data", str(given.data), "-o", str(output), *_options(given)]
    if given.representative:
        words += ["--representative", str(given.representative)]
    if given.report:
        words += ["--report", str(given.report / model.stem)]
    start = [sys.executable, "-c", "from cuelens_convert.cli import main; main()"]
    run = subprocess.run([*start, *words], capture_output=True, text=True, check=False)
    lines = (run.stderr if run.returncode else run.stdout).strip().splitlines()
    contract = file.load(output).contract if run.returncode == 0 else None
    # Killed, for want of memory say: its status is then the signal's number below 0, and no documented one.
    status = run.returncode if run.returncode >= 0 else CuelensError.exit_status
    said = lines[-1].removeprefix("convert-model: ") if lines else f"ended with {run.returncode}"
    return Ended(model, status, contract, said)


def _options(given: Namespace) -> list[str]:
    words = []
    for name in (*_KEPT, "min_agreement"):
        value = getattr(given, name)
        if value is not None:
            words += [f"--{name.replace('_', '-')}", ",".join(value) if isinstance(value, tuple) else f"{value}"]
    return words


def _table(all_ended: list[Ended]) -> Iterator[str]:
    yield f"{'model':24}  {'float':>7}  {'here':>7}  {'agree':>7}  {'macro-F1':>8}  {'KiB':>6}  protocol"
    for one in all_ended:
        if one.contract is None:
            yield f"{one.model.stem:24}  exit status {one.status}"
            continue
        parity, scored = one.contract.parity, one.contract.metrics
        yield (
            f"{one.model.stem:24}  {parity.float_accuracy:7.2%}  {parity.converted_accuracy:7.2%}"
            f"  {parity.agreement:7.2%}  {scored.macro_f1:8.3f}  {one.contract.model_bytes / 1024:6.0f}"
            f"  {scored.protocol}"
        )
