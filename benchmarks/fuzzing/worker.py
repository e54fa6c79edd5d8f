"""The process that runs one target: a crash or a lack of memory ends it alone, and `benchmarks/fuzz.py` sees it."""

import argparse
import atexit
import json
import tempfile
import time
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from benchmarks.fuzzing import engine

PARTS = {
    "bundle": "bundles",
    **dict.fromkeys(("profile", "settings", "card", "language", "wearer", "small-files"), "texts"),
    **dict.fromkeys(("wav", "recording"), "recordings"),
    **dict.fromkeys(("link", "events", "story"), "streams"),
    "form": "posts",
    **dict.fromkeys(("faulty-errs", "faulty-warns", "faulty-dawdles", "faulty-devours", "faulty-crashes"), "faulty"),
}
"""The module of each target: each is imported alone, since the page must not load numpy, nor the story OpenCV."""
_READERS = ["cuelens", "cuelens_models", "tomllib", "json", "configparser", "wave", "zipfile", "urllib"]
_REPORT_S = 5.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=PARTS)
    parser.add_argument("--seconds", type=float, required=True)
    parser.add_argument("--executions", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--memory", type=int, required=True, help="in MB, over what an idle process has")
    parser.add_argument("--found", type=Path, required=True, help="folder for what is found")
    parser.add_argument("--work", type=Path, required=True, help="folder of this process alone")
    options = parser.parse_args()
    guided = find_spec("atheris") is not None
    if guided:
        import atheris

        with atheris.instrument_imports(include=_READERS):
            module = import_module(f"benchmarks.fuzzing.{PARTS[options.name]}")
    else:
        module = import_module(f"benchmarks.fuzzing.{PARTS[options.name]}")
    targets = getattr(module, "TARGETS", ()) or (module.TARGET,)
    target = next(target for target in targets if target.name == options.name)
    files, corpus = options.work / "files", options.work / "corpus"
    for folder in (files, corpus):
        folder.mkdir(exist_ok=True)
    findings = engine.Findings(target, options.found, files)
    status, last_s = options.work / "status.json", [0.0]

    def report() -> None:
        told = {"executions": findings.executions, "slowest_s": findings.slowest_s, "found": sorted(findings.sizes)}
        status.write_text(json.dumps(told))

    def run(content: bytes) -> None:
        before = len(findings.sizes)
        findings.run(content)
        if time.monotonic() > last_s[0] + _REPORT_S or len(findings.sizes) > before:
            last_s[0] = time.monotonic()
            report()

    atexit.register(report)
    tempfile.tempdir = str(files)
    engine.strict()
    target.seeds()
    engine.limit_memory(options.memory)
    if guided:
        engine.with_atheris(target, run, options.seconds, options.seed, corpus, options.found)
    else:
        engine.with_hypothesis(target, run, options.seconds, options.seed, options.executions)
    report()


if __name__ == "__main__":
    main()
