"""Ten thousand messages of all kinds, over a real socket, while the glasses run: they never notice."""

import contextlib
import json
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cuelens.link import http, messages
from cuelens.link.message import VERSION
from cuelens.link.replies import Done, Profiles, Refused, Reply
from cuelens.link.requests import Calibrate, Hello, ReadProfile, Request
from cuelens.link.server import Server

TAGS = sorted(str(kind.__struct_config__.tag) for kind in (Hello, *get_args(Request)))
KEYS = sorted({name for kind in get_args(Request) for name in kind.__struct_fields__})
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=50) | st.sampled_from(["happy", "ask"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
NEARLY = st.builds(
    lambda tag, version, more: json.dumps({"message": tag, "version": version, **more}).encode(),
    st.sampled_from(TAGS) | st.text(max_size=10),
    st.just(VERSION) | st.integers() | VALUES,
    st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=8), VALUES, max_size=3),
)
WHOLE = st.sampled_from(
    [
        {"message": "watch", "since": 2**70},
        {"message": "draft", "profile": {"light": {"brightness_percent": 7}}},
        {"message": "draft", "profile": [[[[]]]]},
        {"message": "record", "word": "happy", "wav": "AAAA"},
        {"message": "record", "word": "../happy", "wav": ""},
        {"message": "create", "name": "../../etc"},
        {"message": "choose", "name": "."},
        {"message": "collect", "shown": "angry"},
        {"message": "correct"},
        {"message": "read table", "offset": 10**18},
        {"message": "leave", "then": "rest", "minutes": 0},
    ]
).map(lambda whole: json.dumps({"version": VERSION, **whole}).encode())
HTTP = st.binary(max_size=60).map(lambda rest: b"GET " + rest)
LINES = st.one_of(st.binary(max_size=300), NEARLY, NEARLY, WHOLE, HTTP)


@pytest.fixture
def link(glasses: Any) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "link.sock"
        server = Server(path, glasses.requests.answer)
        yield path
        server.close()


def exchange(path: Path, line: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(20)
        connection.connect(str(path))
        with contextlib.suppress(BrokenPipeError):
            connection.sendall(line)
            connection.shutdown(socket.SHUT_WR)
        return messages.receive(connection, time.monotonic() + 60)


@pytest.mark.slow
def test_ten_thousand_messages_leave_the_glasses_as_they_were(
    glasses: Any, link: Path, soon: Callable[..., bool]
) -> None:
    faults = []

    @settings(max_examples=10_000, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(LINES)
    def ask(line: bytes) -> None:
        answer = exchange(link, line + b"\n")
        if http.asked(line):
            assert answer.startswith(b"HTTP/1.0 ")
            return
        reply = messages.reply(answer)
        assert isinstance(reply, get_args(Reply))
        if isinstance(reply, Refused) and "a fault inside" in reply.text:
            faults.append((line, reply.text))

    exchange(link, messages.encode(Calibrate()))
    ask()
    assert faults == []
    assert glasses.thread.is_alive()
    before = glasses.feed.received
    assert soon(lambda: glasses.feed.received > before + 10)
    assert isinstance(messages.reply(exchange(link, messages.encode(Hello()))), Done)
    known = {"cuelens.toml", "still.pgm", "profiles", "good", "active", "wearer.json"}
    assert {file.name for file in glasses.state.iterdir() if not file.name.startswith("story.sqlite")} <= known
    # A factory reset may have been among them.
    assert isinstance(glasses.answer(ReadProfile()), Profiles)
