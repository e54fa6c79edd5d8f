"""The file of events: what is slow is waited for at the end, and what was lost is told."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cuelens import events
from cuelens.runtime.event_file import EventFile
from cuelens_models.errors import Unwritable

EVENTS = [events.Mute(t=float(t), on=True) for t in range(3000)]
"""More than a pipe takes without a reader (64 KiB), and fewer than the queue."""
SLOW_S = 0.8


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A FIFO that is open for reading, and the descriptor of its reader."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reader, True)
    yield path, reader
    os.close(reader)


def write_all(path: Path) -> EventFile:
    file = EventFile(str(path), patient=False, stop=threading.Event())
    for event in EVENTS:
        file(event)
    return file


def read(lines: bytes) -> list[Any]:
    return [msgspec.json.decode(line, type=events.AnyEvent) for line in lines.splitlines()]


def test_a_reader_that_begins_late_gets_every_event(pipe: tuple[Path, int]) -> None:
    path, reader = pipe
    got = bytearray()

    def read_late() -> None:
        time.sleep(SLOW_S)
        while some := os.read(reader, 4096):
            got.extend(some)

    file = write_all(path)
    thread = threading.Thread(target=read_late)
    thread.start()
    file.close()
    thread.join()
    assert (file.lost, read(bytes(got))) == (0, EVENTS)


def test_a_reader_that_never_reads_is_named(pipe: tuple[Path, int]) -> None:
    path, _ = pipe
    with pytest.raises(Unwritable, match="pipe were lost: whoever reads them is too slow"):
        write_all(path).close()


def test_a_disk_that_is_slow_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events.jsonl"
    # Once: lines that came meanwhile are written by a call of their own.
    stalls = iter([SLOW_S])
    slow_down(monkeypatch, path, lambda: time.sleep(next(stalls, 0)))
    write_all(path).close()
    assert read(path.read_bytes()) == EVENTS


def test_a_disk_that_hangs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "events.jsonl"
    hangs = threading.Event()
    slow_down(monkeypatch, path, hangs.wait)
    file = write_all(path)
    try:
        with pytest.raises(Unwritable, match=r"events\.jsonl were lost: the disk is too slow"):
            file.close()
    finally:
        hangs.set()


def slow_down(monkeypatch: pytest.MonkeyPatch, path: Path, wait: Callable[[], object]) -> None:
    """Have each write to a file wait first, as on a card that is busy with itself. wait: called before each."""
    write = os.write

    def slow(descriptor: int, data: bytes) -> int:
        if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
            wait()
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", slow)
