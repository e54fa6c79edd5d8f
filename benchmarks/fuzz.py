"""Feed the readers of files and messages with inputs that nobody thought of.

    python benchmarks/fuzz.py [TARGET...] [--minutes 10] [--seed 0] [--memory 256] [--jobs 2] [--executions N]

Targets: bundle, profile, settings, language, wearer, small-files, wav, recording, link, events, story, form. All are
run if none is named. Each has a process of its own, which may take `--memory` MB more than it has while idle. A finding
is an error that is none of cuelens (a warning counts), two seconds of processor time for one input, a hang, a lack of
memory or a crash. The smallest input of each and its traceback come into build/fuzz/TARGET. The exit status is 1 then.

atheris guides the inputs by the lines and branches that they reach: `pip install -e '.[fuzz]'`. Without it hypothesis
changes valid inputs by chance, and `--executions` may end that earlier.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TARGETS = (
    *("bundle", "profile", "settings", "card", "language", "wearer", "small-files"),
    *("wav", "recording", "link", "events", "story", "form"),
)
INSTALL = (
    "atheris is not installed: run `pip install -e '.[fuzz]'` to let coverage guide the inputs; hypothesis does it now"
)
SHARED_MEMORY = next((place for place in (Path("/dev/shm"),) if place.is_dir()), None)  # noqa: S108
"""Where readers find their files: a disk would be the slowest part."""
_STATUS = re.compile(r"#(\d+)\s+(\w+)\s+cov: (\d+) ft: (\d+) corp: (\d+)/")
_SHOWN_S = 30.0
_AT_END_S = 90
_NICE = 10


@dataclass(slots=True)
class Outcome:
    """What came of one target. edges, corpus: 0 without atheris. found: the place of each finding."""

    name: str
    executions: int = 0
    edges: int = 0
    corpus: int = 0
    seconds: float = 0.0
    slowest_s: float = 0.0
    found: list[str] = field(default_factory=list)

    def line(self) -> str:
        """Return a row of the table."""
        return (
            f"{self.name:12} {self.executions:>12,} {self.edges:>7} {self.corpus:>7} {self.seconds:>8.0f}"
            f" {self.slowest_s:>9.2f} {len(self.found):>9}"
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=", ".join(TARGETS))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--executions", type=int, default=2**31 - 1)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--memory", type=int, default=256, metavar="MB")
    parser.add_argument("--jobs", type=int, default=2, help="targets at the same time")
    parser.add_argument("--found", type=Path, default=ROOT / "build" / "fuzz", help="folder for what is found")
    options = parser.parse_args()
    if unknown := [name for name in options.targets if name not in TARGETS and not name.startswith("faulty-")]:
        parser.error(f"there is no target {unknown[0]}: choose from {', '.join(TARGETS)}")
    if not find_spec("atheris"):
        print(INSTALL)
    with ThreadPoolExecutor(options.jobs) as pool:
        outcomes = list(pool.map(lambda name: fuzz(name, options), options.targets or TARGETS))
    print(
        f"\n{'target':12} {'executions':>12} {'edges':>7} {'corpus':>7} {'seconds':>8} {'slowest_s':>9} {'findings':>9}"
    )
    for outcome in outcomes:
        print(outcome.line())
        for place in outcome.found:
            print(f"    {place}: see {options.found / outcome.name}")
    return 1 if any(outcome.found for outcome in outcomes) else 0


def fuzz(name: str, options: argparse.Namespace) -> Outcome:
    """Run a target for its time. A worker that crashes is started again, with what is left of the time."""
    outcome = Outcome(name)
    found = options.found / name
    begun_s = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=f"fuzz-{name}-", dir=SHARED_MEMORY) as folder:
        work = Path(folder)
        for attempt in range(1000):
            left_s = options.minutes * 60 - (time.monotonic() - begun_s)
            if left_s <= 0 and attempt:
                break
            ended = _worker(outcome, options, left_s, work, found, options.seed + attempt)
            if ended == 0:
                break
            _keep_crash(outcome, work, found, ended)
    outcome.seconds = time.monotonic() - begun_s
    return outcome


def _worker(outcome: Outcome, options: argparse.Namespace, left_s: float, work: Path, found: Path, seed: int) -> int:
    """Run one worker to its end. Returns its exit status, negative for a signal."""
    values = {
        "--seconds": left_s,
        "--executions": options.executions,
        "--seed": seed,
        "--memory": options.memory,
        "--found": found,
        "--work": work,
    }
    command = [sys.executable, "-m", "benchmarks.fuzzing.worker", outcome.name]
    command += [str(word) for pair in values.items() for word in pair]
    status, log = work / "status.json", work / "log"
    status.unlink(missing_ok=True)
    before = outcome.executions
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    with log.open("wb") as target:
        worker = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=target, stderr=target, preexec_fn=_nice)  # noqa: PLW1509
    shown_s, end_s = time.monotonic(), time.monotonic() + left_s + _AT_END_S
    while worker.poll() is None:
        time.sleep(0.2)
        if time.monotonic() > end_s:
            worker.send_signal(signal.SIGKILL)
        _look(outcome, status, log, before)
        if time.monotonic() > shown_s + _SHOWN_S:
            shown_s = time.monotonic()
            print(outcome.line(), flush=True)
    _look(outcome, status, log, before)
    return worker.returncode


def _look(outcome: Outcome, status: Path, log: Path, before: int) -> None:
    """Take over what the worker and libFuzzer say of themselves."""
    try:
        told = json.loads(status.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        told = {"executions": 0, "slowest_s": 0.0, "found": []}
    outcome.executions = max(outcome.executions, before + told["executions"])
    outcome.slowest_s = max(outcome.slowest_s, told["slowest_s"])
    outcome.found += [place for place in told["found"] if place not in outcome.found]
    for match in _STATUS.finditer(log.read_text(errors="replace")[-20_000:]):
        executions, _, edges, _, corpus = match.groups()
        outcome.executions = max(outcome.executions, before + int(executions))
        outcome.edges, outcome.corpus = int(edges), int(corpus)


def _keep_crash(outcome: Outcome, work: Path, found: Path, ended: int) -> None:
    """Keep the input that a worker died of, and the end of what it said."""
    found.mkdir(parents=True, exist_ok=True)
    said = (work / "log").read_text(errors="replace")[-3000:]
    kind = "hang" if "libFuzzer: timeout" in said else f"signal {-ended}" if ended < 0 else f"exit status {ended}"
    place = f"the process ended: {kind}"
    if place not in outcome.found:
        outcome.found.append(place)
    current = work / "files" / "input"
    name = f"ended-{abs(ended)}"
    (found / name).write_bytes(current.read_bytes() if current.exists() else b"")
    (found / f"{name}.txt").write_text(f"{place}\n{said}", "utf-8")


def _nice() -> None:
    os.nice(_NICE)


if __name__ == "__main__":
    sys.exit(main())
