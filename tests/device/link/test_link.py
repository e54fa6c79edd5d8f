"""The link over real sockets: what clients may send, who may ask, and what dead and living glasses leave."""

import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from cuelens.link import address, client, messages
from cuelens.link.client import Silent
from cuelens.link.message import VERSION
from cuelens.link.replies import Done, Refused, Reply
from cuelens.link.requests import Hello, Press, Reload, Request, Try
from cuelens.link.server import Server
from cuelens_models.errors import AbsentDevice, BadInput, Unwritable

NOBODY = 65534


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name: the path of a UNIX socket has 107 bytes at most."""
    with tempfile.TemporaryDirectory(prefix="link") as name:
        yield Path(name)


class Glasses:
    """A server that remembers requests. request_s: so long that a busy machine sends a request in time."""

    def __init__(self, path: Path, request_s: float = 60.0) -> None:
        self.path = path
        self.asked: list[Request] = []
        self.server = Server(path, self.answer, request_s=request_s)

    def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        if request == Try(word="boom"):
            raise ZeroDivisionError("by nothing")
        if request == Try(word="odd"):
            return Done(text=os.fsdecode(b"caf\xe9.json is in use"))
        return Refused(text="not that word") if isinstance(request, Try) else Done(text="it is done")


@pytest.fixture
def glasses(folder: Path) -> Iterator[Glasses]:
    made = Glasses(folder / "link.sock")
    yield made
    made.server.close()


@pytest.fixture
def hasty_glasses(folder: Path) -> Iterator[Glasses]:
    """Glasses that give up a request after a second."""
    made = Glasses(folder / "link.sock", request_s=1.0)
    yield made
    made.server.close()


def connected(path: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(10)
    for _ in range(200):
        # Where many clients wait already, the kernel refuses at once.
        with contextlib.suppress(BlockingIOError):
            connection.connect(str(path))
            break
        time.sleep(0.05)
    return connection


def said(connection: socket.socket) -> Reply:
    """The reply, which is all that comes until the end of the connection."""
    content = b""
    try:
        while piece := connection.recv(4096):
            content += piece
    except ConnectionResetError:
        pass
    connection.close()
    return messages.reply(content.removesuffix(b"\n"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a folder for another user")
def test_a_folder_that_root_makes_for_the_socket_belongs_to_the_owner_of_where_it_lies(folder: Path) -> None:
    os.chown(folder, 1234, 1235)
    glasses = Glasses(folder / "cuelens" / "link.sock")
    try:
        made = (folder / "cuelens").stat()
    finally:
        glasses.server.close()
    assert (made.st_uid, made.st_gid) == (1234, 1235)


@pytest.mark.parametrize("request_", [Press(gesture="ask"), Press(gesture="calibrate"), Reload()])
def test_a_request_arrives_and_is_answered(glasses: Glasses, request_: Request) -> None:
    assert client.ask(request_, [glasses.path]) == "it is done"
    assert glasses.asked == [request_]


def test_a_refusal_is_an_error_with_its_sentence(glasses: Glasses) -> None:
    with pytest.raises(BadInput, match="not that word"):
        client.ask(Try(word="hapy"), [glasses.path])


def test_an_answer_that_fails_is_refused_and_costs_no_thread(glasses: Glasses) -> None:
    for _ in range(6):
        with pytest.raises(BadInput, match="a fault inside: ZeroDivisionError: by nothing"):
            client.ask(Try(word="boom"), [glasses.path])
    assert client.ask(Reload(), [glasses.path]) == "it is done"


def test_an_answer_that_is_no_text_is_refused_and_costs_no_thread(glasses: Glasses) -> None:
    for _ in range(6):
        with pytest.raises(BadInput, match="the name of a file that is not in UTF-8: rename the file"):
            client.ask(Try(word="odd"), [glasses.path])
    assert client.ask(Reload(), [glasses.path]) == "it is done"


NOT_UNDERSTOOD = "the message is not understood"


@pytest.mark.parametrize(
    ("sent", "sentence"),
    [
        (b"\n", NOT_UNDERSTOOD),
        (b"hello\n", NOT_UNDERSTOOD),
        (b"\x00\xff\xfe\x80\n", NOT_UNDERSTOOD),
        (b'{"version":1}\n', NOT_UNDERSTOOD),
        (b'{"message":"reload"}\n', NOT_UNDERSTOOD),
        (b'{"version":1,"message":"shutdown"}\n', NOT_UNDERSTOOD),
        (b'{"version":1,"message":"press","gesture":"wink"}\n', NOT_UNDERSTOOD),
        (b'{"version":1,"message":"press","gesture":"ask","force":true}\n', NOT_UNDERSTOOD),
        (b'{"version":1,"message":"try","word":""}\n', NOT_UNDERSTOOD),
        (b'{"version":1,"message":"try","word":"' + b"x" * 41 + b'"}\n', NOT_UNDERSTOOD),
        (b'{"version":1,"message":"done","text":"a reply"}\n', NOT_UNDERSTOOD),
        (b'{"version":1,"message":"try","word":"\xff"}\n', NOT_UNDERSTOOD),
        (b"[" * 60_000 + b"\n", NOT_UNDERSTOOD),
        (b'{"version":2,"message":"dance","steps":[]}\n', "version 2 of the protocol, and version 1 is spoken here"),
        (b'{"version":0,"message":"reload"}\n', "version 0 of the protocol"),
        (b"x" * messages.MOST_BYTES, "too long: expected at most 1048576 bytes"),
        (b"x" * 2_000_000, "too long"),
    ],
)
def test_what_is_no_message_is_refused_in_a_sentence(glasses: Glasses, sent: bytes, sentence: str) -> None:
    connection = connected(glasses.path)
    try:
        connection.sendall(sent)
    except (BrokenPipeError, ConnectionResetError):
        # The refusal came before everything was sent.
        assert len(sent) > messages.MOST_BYTES
    reply = said(connection)
    assert isinstance(reply, Refused)
    assert sentence in reply.text
    assert glasses.asked == []
    assert client.ask(Reload(), [glasses.path]) == "it is done"


@pytest.mark.parametrize("sent", [b'{"version":1,"message":"reload"}', b""])
def test_a_message_without_its_end_is_refused_at_the_deadline(hasty_glasses: Glasses, sent: bytes) -> None:
    connection = connected(hasty_glasses.path)
    with contextlib.suppress(BrokenPipeError):
        connection.sendall(sent)
    assert said(connection) == Refused(text="the message did not come within 1 s")
    assert hasty_glasses.asked == []
    assert client.ask(Reload(), [hasty_glasses.path]) == "it is done"


def test_a_message_of_the_greatest_length_is_read(glasses: Glasses) -> None:
    request = messages.encode(Reload())
    connection = connected(glasses.path)
    connection.sendall(b" " * (messages.MOST_BYTES - len(request)) + request)
    assert said(connection) == Done(text="it is done")


def test_a_client_that_ends_in_the_middle_is_refused(glasses: Glasses) -> None:
    connection = connected(glasses.path)
    connection.sendall(b'{"version":1,')
    connection.shutdown(socket.SHUT_WR)
    assert said(connection) == Refused(text="the connection ended within a message: a message ends with a line feed")


def test_a_client_that_sends_a_byte_now_and_then_has_one_deadline_for_all_of_them(hasty_glasses: Glasses) -> None:
    connection = connected(hasty_glasses.path)
    for byte in messages.encode(Reload()):
        try:
            connection.sendall(bytes([byte]))
        except BrokenPipeError:
            break
        time.sleep(0.1)
    else:
        pytest.fail("the message was taken to its end")
    reply = said(connection)
    assert isinstance(reply, Refused)
    assert "did not come within 1 s" in reply.text


@pytest.mark.parametrize("count", [8, 30])
def test_a_crowd_of_silent_clients_delays_a_request_but_does_not_lose_it(
    hasty_glasses: Glasses, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "HELLO_S", 60.0)
    crowd = []
    for _ in range(count):
        silent = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        # Without waiting for it: when too many wait, the kernel turns one away.
        silent.setblocking(False)
        if silent.connect_ex(str(hasty_glasses.path)) not in (0, errno.EAGAIN):
            pytest.fail("the connection was refused")
        crowd.append(silent)
    assert client.ask(Reload(), [hasty_glasses.path], answer_s=60) == "it is done"
    for silent in crowd:
        silent.close()


def test_a_request_is_answered_while_three_silent_clients_wait_for_their_deadline(
    glasses: Glasses, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Half of the deadline of the silent ones.
    monkeypatch.setattr(client, "HELLO_S", 30.0)
    crowd = [connected(glasses.path) for _ in range(3)]
    assert client.ask(Reload(), [glasses.path], answer_s=30) == "it is done"
    for silent in crowd:
        silent.close()


def test_many_clients_at_once_are_all_answered(glasses: Glasses, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "HELLO_S", 60.0)
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(client.ask(Reload(), [glasses.path]))) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["it is done"] * 40


def test_a_client_that_goes_before_its_answer_harms_nobody(glasses: Glasses) -> None:
    for _ in range(10):
        connection = connected(glasses.path)
        connection.sendall(messages.encode(Reload()))
        connection.close()
    assert client.ask(Reload(), [glasses.path]) == "it is done"


def test_the_end_leaves_no_socket_and_no_thread(folder: Path) -> None:
    glasses = Glasses(folder / "made" / "link.sock")
    threads = [thread for thread in threading.enumerate() if thread.name == "link"]
    glasses.server.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    assert list(folder.iterdir()) == []
    with pytest.raises(AbsentDevice, match="no glasses are running"):
        client.ask(Reload(), [glasses.path])


def test_the_end_keeps_a_folder_that_was_there_and_what_lies_in_it(folder: Path) -> None:
    (folder / "profile.json").touch()
    Glasses(folder / "link.sock").server.close()
    assert [file.name for file in folder.iterdir()] == ["profile.json"]


def test_the_socket_of_living_glasses_is_left_to_them(glasses: Glasses) -> None:
    with pytest.raises(Unwritable, match=r"link\.sock is taken: other glasses of this user are running"):
        Glasses(glasses.path)
    assert client.ask(Reload(), [glasses.path]) == "it is done"


KILLED = """
import signal, sys
from pathlib import Path
from typing import get_args
from cuelens.link.replies import Done
from cuelens.link.server import Server
server = Server(Path(sys.argv[1]), lambda request: Done(text="the first"))
print("listens", flush=True)
signal.pause()
"""


def test_the_socket_of_killed_glasses_is_taken_over(folder: Path) -> None:
    path = folder / "link.sock"
    child = subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout
    assert child.stdout.readline() == "listens\n"
    assert client.ask(Reload(), [path]) == "the first"
    with pytest.raises(Unwritable, match="is taken"):
        Glasses(path)
    child.kill()
    assert child.wait(10) == -signal.SIGKILL
    child.stdout.close()
    assert path.is_socket()
    with pytest.raises(AbsentDevice, match="no glasses are running"):
        client.ask(Reload(), [path])
    glasses = Glasses(path)
    assert client.ask(Reload(), [path]) == "it is done"
    glasses.server.close()


def test_a_socket_that_can_be_seen_listens(folder: Path) -> None:
    path = folder / "link.sock"
    answers = []

    def ask_at_once() -> None:
        while not path.exists():
            pass
        answers.append(client.ask(Reload(), [path]))

    for _ in range(50):
        client_thread = threading.Thread(target=ask_at_once, daemon=True)
        client_thread.start()
        server = Glasses(path).server
        client_thread.join(10)
        server.close()
    assert answers == ["it is done"] * 50


def test_glasses_that_died_before_they_listened_are_in_nobodys_way(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(folder / "link.new"))
    glasses = Glasses(folder / "link.sock")
    assert client.ask(Reload(), [glasses.path]) == "it is done"
    assert [file.name for file in folder.iterdir()] == ["link.sock"]
    glasses.server.close()


def test_a_file_that_is_no_socket_is_kept(folder: Path) -> None:
    path = folder / "link.sock"
    path.write_text("mine")
    with pytest.raises(Unwritable, match=r"link\.sock cannot be made: Address already in use"):
        Glasses(path)
    assert path.read_text() == "mine"
    path.unlink()
    Glasses(path).server.close()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [("x" * 120 + "/link.sock", "cannot be made: AF_UNIX path too long"), ("file/link.sock", "cannot be")],
)
def test_a_place_that_cannot_be_used_is_a_sentence(folder: Path, name: str, sentence: str) -> None:
    (folder / "file").touch()
    with pytest.raises(Unwritable, match=sentence):
        Glasses(folder / name)


def test_a_hello_is_answered_and_asks_nothing(glasses: Glasses) -> None:
    connection = connected(glasses.path)
    connection.sendall(messages.encode(Hello()))
    assert said(connection) == Done(text="the glasses are running")
    assert glasses.asked == []


def test_frozen_glasses_are_given_up_before_the_request_has_had_its_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    silent.bind(str(folder / "link.sock"))
    silent.listen()
    assert client.HELLO_S < client.ANSWER_S
    monkeypatch.setattr(client, "HELLO_S", 0.2)
    with pytest.raises(Silent, match="do not answer: see `journalctl -u cuelens`, or start them again"):
        client.ask(Reload(), [folder / "link.sock"], answer_s=3600)
    silent.close()


def test_glasses_of_an_earlier_version_refuse_the_hello_and_take_the_request(folder: Path) -> None:
    path = folder / "link.sock"
    old = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    old.bind(str(path))
    old.listen()

    def serve() -> None:
        for answer in (Refused(text="the message is not understood"), Done(text="it is done")):
            connection, _ = old.accept()
            connection.recv(4096)
            connection.sendall(messages.encode(answer))
            connection.close()

    thread = threading.Thread(target=serve)
    thread.start()
    assert client.ask(Reload(), [path]) == "it is done"
    thread.join()
    old.close()


def test_a_server_that_does_not_answer_is_a_sentence_at_the_deadline(folder: Path) -> None:
    silent = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    silent.bind(str(folder / "link.sock"))
    silent.listen()
    with pytest.raises(AbsentDevice, match="do not answer"):
        client.ask(Reload(), [folder / "link.sock"], answer_s=0.2)
    silent.close()


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (b"", "the connection ended within a message"),
        (b"hello\n", "not understood"),
        (b'{"version":2,"message":"done","text":"?"}\n', "version 2 of the protocol"),
    ],
)
def test_another_program_or_version_at_the_socket_is_a_sentence(folder: Path, answer: bytes, sentence: str) -> None:
    other = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    other.bind(str(folder / "link.sock"))
    other.listen()

    def reply() -> None:
        connection, _ = other.accept()
        connection.recv(4096)
        connection.sendall(answer)
        connection.close()

    thread = threading.Thread(target=reply)
    thread.start()
    with pytest.raises(BadInput, match=sentence):
        client.ask(Reload(), [folder / "link.sock"])
    thread.join()
    other.close()


def test_the_first_glasses_that_listen_are_asked(folder: Path, glasses: Glasses) -> None:
    dead = folder / "dead.sock"
    gone = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    gone.bind(str(dead))
    gone.close()
    assert client.ask(Reload(), [folder / "none.sock", dead, glasses.path]) == "it is done"


def test_owner_and_group_may_ask_by_the_mode_of_the_socket(glasses: Glasses) -> None:
    assert oct(glasses.path.stat().st_mode & 0o777) == "0o660"


ASKS = """
import os, socket, sys
os.setgroups([int(word) for word in sys.argv[3:]])
os.setgid(int(sys.argv[2]))
os.setuid(65534)
connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
connection.connect(sys.argv[1])
try:
    connection.sendall(b'{"version":1,"message":"reload"}\\n')
except BrokenPipeError:
    pass  # It was refused before it was read.
print(connection.recv(4096).decode(), end="")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
@pytest.mark.parametrize(
    ("mode", "group", "groups", "expected"),
    [
        (0o660, NOBODY, [], "PermissionError"),
        (0o666, NOBODY, [], "may ask these glasses for nothing"),
        (0o660, NOBODY, [0], "it is done"),
        (0o660, 0, [], "it is done"),
        (0o666, NOBODY, [7, 8], "may ask these glasses for nothing"),
    ],
)
def test_another_user_may_ask_as_a_member_of_the_group_only(
    folder: Path, mode: int, group: int, groups: list[int], expected: str
) -> None:
    folder.chmod(0o755)
    glasses = Glasses(folder / "link.sock")
    glasses.path.chmod(mode)
    done = subprocess.run(
        [sys.executable, "-c", ASKS, *map(str, (glasses.path, group, *groups))],
        capture_output=True,
        text=True,
        check=False,
    )
    glasses.server.close()
    assert expected in done.stdout + done.stderr
    assert len(glasses.asked) == (expected == "it is done")


def test_every_message_keeps_its_form(folder: Path) -> None:
    """What another program sends and reads, to the byte."""
    assert messages.encode(Press(gesture="ask")) == b'{"message":"press","version":1,"gesture":"ask"}\n'
    assert messages.encode(Try(word="happy")) == b'{"message":"try","version":1,"word":"happy"}\n'
    assert messages.encode(Reload()) == b'{"message":"reload","version":1}\n'
    assert messages.encode(Done(text="x")) == b'{"message":"done","version":1,"text":"x"}\n'
    assert messages.encode(Refused(text="x")) == b'{"message":"refused","version":1,"text":"x"}\n'


@pytest.mark.parametrize(
    ("variables", "own", "known"),
    [
        ({}, "/home/s", ["/home/s", "/run/cuelens"]),
        ({"XDG_RUNTIME_DIR": "/run/user/7"}, "/run/user/7/cuelens", ["/run/user/7/cuelens", "/home/s", "/run/cuelens"]),
        ({"RUNTIME_DIRECTORY": "/run/cuelens"}, "/run/cuelens", ["/run/cuelens", "/home/s"]),
        (
            {"RUNTIME_DIRECTORY": "/run/a:/run/b", "XDG_RUNTIME_DIR": "/x"},
            "/run/a",
            ["/run/a", "/home/s", "/run/cuelens"],
        ),
    ],
)
def test_where_glasses_listen(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], own: str, known: list[str]
) -> None:
    for name in ("RUNTIME_DIRECTORY", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    state = Path("/home/s")
    assert address.own(state) == Path(own) / "link.sock"
    assert address.known(state) == [Path(folder) / "link.sock" for folder in known]


def test_the_documented_messages_are_the_real_ones() -> None:
    """Every JSON line of docs/link.md is a message, and every message stands there."""
    text = (Path(__file__).resolve().parents[3] / "docs" / "link.md").read_text("utf-8")
    lines = [line.strip().encode() for line in text.splitlines() if line.startswith('    {"message"')]
    kinds = set()
    for line in lines:
        try:
            kinds.add(type(messages.request(line)))
        except BadInput:
            kinds.add(type(messages.reply(line)))
    assert kinds == {Hello, *get_args(Request), *get_args(Reply)}
    assert all(msgspec.json.decode(line)["version"] == VERSION for line in lines)
