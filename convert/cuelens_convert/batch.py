"""Conversion of several networks, each in its own process because TensorFlow does not give memory back."""

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

_FORWARDED = ("labels", "pixels", "protocol", "scheme", "images", "seed", "fine_tune", "max_drop", "max_class_drop")


@dataclass(frozen=True, slots=True)
class JobResult:
    """How one conversion ended. contract: of the bundle, None if none was written. message: the last line printed."""

    model: Path
    status: int
    contract: Contract | None
    message: str


def command_line(options: Namespace) -> list[str]:
    """Return the command line that repeats a conversion: every option, defaults too, and files without their folder."""
    model, data, output = options.models[0].name, options.data.name, options.output.name
    representative = options.representative and options.representative.name
    return ["convert-model", model, "--data", data, "-o", output, *_flags(options, representative)]


def convert_all(options: Namespace) -> int:
    """Convert each network into the folder OUT; return the greatest exit status, 0 if every bundle was written."""
    outputs = {model: options.output / f"{model.stem}.tflite" for model in options.models}
    if len(set(outputs.values())) < len(options.models):
        raise BadInput("two of the models have the same name, so their bundles would too: convert them separately")
    make_folder(options.output)
    start = time.monotonic()
    results: dict[Path, JobResult] = {}
    with ThreadPoolExecutor(options.jobs) as pool:
        jobs = [pool.submit(_convert, options, model, output) for model, output in outputs.items()]
        for number, job in enumerate(as_completed(jobs), start=1):
            result = job.result()
            results[result.model] = result
            elapsed_s = time.monotonic() - start
            print(f"{number} of {len(jobs)}, {elapsed_s:.0f} s: {result.model.name}: {result.message}", flush=True)
    print("\n".join(_table([results[model] for model in options.models])))
    return max(result.status for result in results.values())


def _convert(options: Namespace, model: Path, output: Path) -> JobResult:
    # A relative path that begins with a dash would be taken for an option.
    representative = options.representative and options.representative.absolute()
    words = [model.absolute(), "--data", options.data.absolute(), "-o", output.absolute()]
    words += _flags(options, representative)
    if options.report:
        words += ["--report", options.report.absolute() / model.stem]
    command = [sys.executable, "-c", "from cuelens_convert.cli import main; main()"]
    process = subprocess.run([*command, *words], capture_output=True, text=True, check=False)
    lines = (process.stderr if process.returncode else process.stdout).strip().splitlines()
    contract = file.load(output).contract if process.returncode == 0 else None
    # A killed process (out of memory, say) has minus the signal's number as its status, which is not a documented one.
    status = process.returncode if process.returncode >= 0 else CuelensError.exit_status
    message = lines[-1].removeprefix("convert-model: ") if lines else f"ended with {process.returncode}"
    return JobResult(model, status, contract, message)


def _flags(options: Namespace, representative: Path | str | None) -> list[str]:
    words = ["--representative", str(representative)] if representative else []
    words += ["--as-described"] if options.as_described else []
    if options.classes:
        words += ["--classes", ",".join(f"{name}={label}" for name, label in options.classes.items())]
    for name in (*_FORWARDED, "min_agreement"):
        value = getattr(options, name)
        if value is not None:
            words += [f"--{name.replace('_', '-')}", ",".join(value) if isinstance(value, tuple) else f"{value}"]
    return words


def _table(results: list[JobResult]) -> Iterator[str]:
    """Yield the figures of each network, one a line. A dash: no class had enough images to measure it."""
    yield f"{'model':24}  {'float':>7}  {'here':>7}  {'agree':>7}  {'macro-F1':>8}  {'KiB':>6}  protocol"
    for result in results:
        if result.contract is None:
            yield f"{result.model.stem:24}  exit status {result.status}"
            continue
        parity, metrics = result.contract.parity, result.contract.metrics
        f1 = f"{metrics.macro_f1:.3f}" if metrics.macro_f1 else "-"
        yield (
            f"{result.model.stem:24}  {parity.float_accuracy:7.2%}  {parity.converted_accuracy:7.2%}"
            f"  {parity.agreement:7.2%}  {f1:>8}  {result.contract.model_bytes / 1024:6.0f}"
            f"  {metrics.protocol}"
        )
