"""Runs a target on one input after another, keeps what it finds, and lets atheris or hypothesis think of inputs."""

import random
import resource
import time
import traceback
import warnings
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Final

from benchmarks.fuzzing.target import Target

SLOW_S: Final = 2.0
"""An input that takes more processor time is a finding: on a small board it would be half a minute."""
HANG_S: Final = 60
_OWN: Final = ("cuelens", "cuelens_models", "cuelens_convert")
_SWOLLEN: Final = 0xFE
"""A last byte that makes an input long, for what is slow with long ones."""
_SHRINKS: Final = 400


class Slow(Exception):
    """An input took too much processor time."""


def limit_memory(more_mb: int) -> None:
    """Let this process reserve so much more memory than it has, and no more. Numpy has reserved much unused."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + more_mb * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


@dataclass(slots=True)
class Findings:
    """Runs a target, and keeps the smallest input of each kind of finding.

    Attributes:
        target: the reader under test.
        folder: where inputs and tracebacks are written.
        work: a folder for the reader's files.
        executions: so many so far. slowest_s: processor time of the slowest. sizes: by the place of each finding.
    """

    target: Target
    folder: Path
    work: Path
    executions: int = 0
    slowest_s: float = 0.0
    sizes: dict[str, int] = field(default_factory=dict)

    def run(self, content: bytes) -> None:
        """Run the target on an input. No error comes out; a crash of the process leaves the input in `work`."""
        content = swollen(content, self.target.most_bytes)
        (self.work / "input").write_bytes(content)
        self.executions += 1
        if (found := self.fault(content)) is None:
            return
        place = place_of(found)
        if len(content) < self.sizes.get(place, self.target.most_bytes * 10):
            self._keep(place, content, found)

    def fault(self, content: bytes) -> BaseException | None:
        """Return what is wrong with how the target takes an input, or None."""
        begun_s = time.process_time()
        try:
            self.target.read(content, self.work)
        except self.target.allowed:
            pass
        except Exception as error:
            return error
        lasted_s = time.process_time() - begun_s
        self.slowest_s = max(self.slowest_s, lasted_s)
        return Slow(f"{lasted_s:.1f} s of processor time") if lasted_s > SLOW_S else None

    def _keep(self, place: str, content: bytes, found: BaseException) -> None:
        self.sizes[place] = len(content)
        small = content if isinstance(found, Slow) else self._shrunk(content, place)
        self.sizes[place] = len(small)
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / f"{type(found).__name__}-{sha256(place.encode()).hexdigest()[:8]}"
        file.write_bytes(small)
        file.with_suffix(".txt").write_text(f"{place}\n{''.join(traceback.format_exception(found))}", "utf-8")

    def _shrunk(self, content: bytes, place: str) -> bytes:
        """Return an input of the same finding without what it does not need, as far as some tries lead."""
        piece, begin, tries = max(len(content) // 2, 1), 0, 0
        while piece and tries < _SHRINKS:
            if begin >= len(content):
                piece, begin = piece // 2, 0
                continue
            shorter, tries = content[:begin] + content[begin + piece :], tries + 1
            found = self.fault(shorter)
            if found is not None and place_of(found) == place:
                content = shorter
            else:
                begin += piece
        return content


def place_of(found: BaseException) -> str:
    """Return the kind of an error, and where in the product's own code it arose: what tells findings apart."""
    frames = traceback.extract_tb(found.__traceback__)
    own = [frame for frame in frames if any(f"/{package}/" in frame.filename for package in _OWN)]
    where = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "anywhere"
    return f"{type(found).__name__} at {where}"


def swollen(content: bytes, most_bytes: int) -> bytes:
    """Return an input; a long one, with a part of it repeated, if its last byte asks for that."""
    if len(content) < 8 or content[-1] != _SWOLLEN:
        return content
    *_, first, second, _ = content
    whole = content[:-3]
    begin, end = sorted((first % (len(whole) + 1), second % (len(whole) + 1)))
    part = whole[begin:end]
    times = (most_bytes - len(whole)) // max(len(part), 1)
    return whole[:begin] + part * max(times, 1) + whole[end:]


def with_atheris(
    target: Target, run: Callable[[bytes], None], seconds: float, seed: int, corpus: Path, found: Path
) -> None:
    """Let coverage guide the inputs. libFuzzer ends the process when the time is over, or at a crash or a hang."""
    import atheris

    words = corpus.with_name("words")
    words.write_text("".join(f'"{word}"\n' for word in target.words), "utf-8")
    for number, content in enumerate(target.seeds()):
        (corpus / f"seed-{number}").write_bytes(content)
    options = {
        "max_total_time": max(round(seconds), 1),
        "seed": seed + 1,
        "max_len": target.most_bytes,
        "timeout": HANG_S,
        "rss_limit_mb": 0,
        "dict": words,
        "artifact_prefix": f"{found}/",
        "print_final_stats": 1,
        "use_value_profile": 0,
    }
    found.mkdir(parents=True, exist_ok=True)
    arguments = ["fuzz", *(f"-{name}={value}" for name, value in options.items()), str(corpus)]
    atheris.Setup(arguments, run)
    atheris.Fuzz()


def with_hypothesis(target: Target, run: Callable[[bytes], None], seconds: float, seed: int, executions: int) -> None:
    """Change seeds by chance, until the time is over or so many inputs were run. Nothing guides it."""
    from hypothesis import HealthCheck, Phase, given, settings
    from hypothesis import seed as seeded
    from hypothesis import strategies as st

    class Over(Exception):
        """The time is over."""

    seeds = [content for content in target.seeds() if len(content) <= target.most_bytes]
    pieces = st.binary(max_size=8) | st.sampled_from([word.encode() for word in target.words] or [b"\0"])
    edits = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 16), pieces), max_size=6)
    end_s = time.monotonic() + seconds

    @seeded(seed)
    @settings(
        max_examples=executions,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(
        st.sampled_from(seeds),
        edits,
        st.just(b"") | st.builds(bytes, st.tuples(*[st.integers(0, 255)] * 2, st.just(_SWOLLEN))),
    )
    def one(content: bytes, changes: list[tuple[float, int, bytes]], end: bytes) -> None:
        if time.monotonic() > end_s:
            raise Over
        for place, gone, new in changes:
            at = round(place * len(content))
            content = content[:at] + new + content[at + gone :]
        run(content + end)

    with suppress(Over):
        one()


def strict() -> None:
    """Let a warning count as an error: a reader that divides by nothing warns at first."""
    warnings.simplefilter("error")
    # Hypothesis and libraries warn about themselves while they are loaded.
    warnings.simplefilter("default", DeprecationWarning)
    random.seed(0)
