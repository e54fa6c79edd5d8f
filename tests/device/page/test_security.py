"""What a stranger, a page elsewhere or a broken client may send: each is refused in one sentence."""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import anyio
import pytest

from cuelens.link.requests import Calibrate, Leave, Look, TellCode
from cuelens.page import security
from cuelens.page.security import PROBES
from cuelens.page.visit import Visit

PRIVATE = ("/home", "/aim", "/aim/picture", "/events", "/people", "/story", "/story.csv", "/profiles/export.json")
HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}


@pytest.mark.parametrize("path", PRIVATE)
def test_nothing_is_shown_without_pairing(setting: Any, path: str) -> None:
    shown = setting.browser.get(path, follow_redirects=False)
    assert (shown.status_code, shown.headers["location"]) == (303, "/")
    assert setting.browser.post("/save", data={"csrf": "x"}).status_code == 403
    assert not setting.glasses.of(Look)


def test_a_phone_that_opens_the_first_screen_makes_nothing_blink(setting: Any) -> None:
    shown = setting.browser.get("/")
    assert "Take the glasses off the child first" in shown.text
    assert not setting.glasses.of(TellCode)
    for _ in range(3):
        setting.browser.post("/code", data={"csrf": setting.token("/")})
    assert [one.digits for one in setting.glasses.of(TellCode)] == [setting.page.pairing.code] == setting.told
    setting.clock.now_s += 30
    setting.browser.post("/code", data={"csrf": setting.token("/")})
    assert len(setting.glasses.of(TellCode)) == 2


@pytest.mark.parametrize("zero", ["\u0660", "\u06f0", "\u0966", "\uff10"])
def test_the_code_is_taken_in_the_digits_of_any_language(setting: Any, zero: str) -> None:
    code = " ".join(chr(ord(zero) + int(digit)) for digit in setting.page.pairing.code)
    assert 'pattern="' not in setting.browser.get("/code").text
    data = {"csrf": setting.token("/code"), "code": code}
    assert setting.browser.post("/pair", data=data, follow_redirects=False).status_code == 303


def test_five_wrong_codes_close_the_door(setting: Any) -> None:
    token, code = setting.token("/"), setting.page.pairing.code
    wrong = "111111" if code != "111111" else "222222"
    found = [setting.browser.post("/pair", data={"csrf": token, "code": wrong}).status_code for _ in range(6)]
    assert found == [403, 403, 403, 403, 429, 429]
    assert setting.browser.post("/pair", data={"csrf": token, "code": code}).status_code == 429
    assert setting.page.pairing.code != code or setting.page.pairing.closed_s(setting.clock()) > 0


def test_a_replayed_cookie_is_worth_nothing(paired: Any) -> None:
    old = paired.browser.cookies["cuelens"]
    assert paired.browser.get("/home", follow_redirects=False).status_code == 200
    paired.browser.cookies.clear()
    paired.pair()
    assert paired.browser.cookies["cuelens"] != old
    paired.browser.cookies.clear()
    paired.browser.cookies["cuelens"] = old
    assert paired.browser.get("/home", follow_redirects=False).status_code == 303
    paired.browser.cookies["cuelens"] = ""
    assert paired.browser.get("/home", follow_redirects=False).status_code == 303


def test_the_cookie_is_for_this_page_only(setting: Any) -> None:
    data = {"csrf": setting.token("/"), "code": setting.page.pairing.code}
    cookie = setting.browser.post("/pair", data=data, follow_redirects=False).headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://elsewhere.example"},
        {"origin": "http://cuelens.local:81"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "null"},
    ],
)
def test_a_post_from_elsewhere_is_not_done(paired: Any, headers: dict[str, str]) -> None:
    done = paired.browser.post("/draft/discard", data={"csrf": paired.page.visit.csrf}, headers=headers)
    assert done.status_code == 403
    assert "not done" in done.text


@pytest.mark.parametrize("token", ["", "wrong", "é"])
def test_a_form_without_its_token_is_not_done(paired: Any, token: str) -> None:
    assert paired.browser.post("/draft/discard", data={"csrf": token}).status_code == 403


def test_a_stranger_cannot_spend_the_tries(setting: Any) -> None:
    setting.browser.cookies.clear()
    for _ in range(6):
        assert setting.browser.post("/pair", data={"csrf": "guess", "code": "111111"}).status_code == 403
    assert setting.page.pairing.closed_s(setting.clock()) == 0


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static/page.css%00",
        "/static//page.css",
        "/static/",
        "/home/",
        "/cues/../home%2f",
        "/etc/passwd",
        "/" + 400 * "a",
        "/cues/nothing",
        "/more/nothing",
    ],
)
def test_tricks_with_paths_lead_nowhere(paired: Any, path: str) -> None:
    assert paired.browser.get(path, follow_redirects=False).status_code == 404


@pytest.mark.parametrize("host", ["elsewhere.example", "cuelens.local.elsewhere.example", "", "10.42.0.1.example:80"])
def test_another_name_is_refused(setting: Any, host: str) -> None:
    assert setting.browser.get("/", headers={"host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:8080", "CUELENS.local", "10.42.0.1", "cuelens.local."])
def test_own_names_are_answered(setting: Any, host: str) -> None:
    assert setting.browser.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("path", PROBES)
def test_probes_are_answered_under_any_name(setting: Any, path: str) -> None:
    shown = setting.browser.get(path, headers={"host": "connectivitycheck.example"})
    assert shown.status_code == PROBES[path][0]


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (200_000 * b"a", "application/x-www-form-urlencoded", 413),
        (b"csrf", "application/x-www-form-urlencoded", 400),
        (b"csrf=%ff", "application/x-www-form-urlencoded", 400),
        (b"csrf=\xff", "application/x-www-form-urlencoded", 400),
        (b"&".join([b"a=1"] * 700), "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 400),
        (b"--x\r\n", "multipart/form-data; boundary=x", 400),
        (b"", "application/x-www-form-urlencoded", 403),
        (200_000 * b"a", "audio/wav", 413),
    ],
)
def test_bodies_that_no_form_makes(paired: Any, content: bytes, kind: str, status: int) -> None:
    done = paired.browser.post("/leave", content=content, headers={"content-type": kind})
    assert done.status_code == status
    assert len(done.text.splitlines()) == 1


KINDS = ("audio/wav", "application/x-www-form-urlencoded")


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_without_a_length_is_counted(paired: Any, kind: str) -> None:
    headers = {"content-type": kind, "x-cuelens": paired.page.visit.csrf}
    done = paired.browser.post("/cues/happy/record", content=iter([8000 * b"a"] * 30), headers=headers)
    assert (done.status_code, done.text) == (413, "what was sent is too large")


@pytest.mark.parametrize("kind", KINDS)
def test_a_phone_that_goes_away_while_it_sends_is_no_fault(paired: Any, kind: str) -> None:
    cookies = "; ".join(f"{name}={value}" for name, value in paired.browser.cookies.items())
    headers = {"host": "cuelens.local", "content-type": kind, "x-cuelens": paired.page.visit.csrf, "cookie": cookies}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/cues/happy/record",
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000),
    }
    messages = [{"type": "http.request", "body": b"RIFF", "more_body": True}, {"type": "http.disconnect"}]
    answers = []

    async def receive() -> dict[str, Any]:
        return messages.pop(0)

    async def send(message: dict[str, Any]) -> None:
        answers.append(message.get("status"))

    paired.browser.portal.call(paired.browser.app, scope, receive, send)
    assert answers == [400, None]


@pytest.mark.parametrize("length", ["-1", "1.5", "", "9" * 5000, "0" * 5000])
def test_a_length_that_is_no_number_is_refused(paired: Any, length: str) -> None:
    done = paired.browser.post("/leave", content=b"a=1", headers={"content-length": length})
    assert (done.status_code, len(done.text.splitlines())) == (400, 1)


def test_a_body_that_trickles_has_one_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(security, "BODY_S", 0.3)

    async def receive() -> dict[str, Any]:
        await anyio.sleep(0.1)
        return {"type": "http.request", "body": b"a", "more_body": True}

    async def trickle() -> None:
        body = security._Body(receive)  # noqa: SLF001
        for _ in range(10):
            await body.receive()

    with pytest.raises(TimeoutError):
        anyio.run(trickle)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_refused(paired: Any, method: str) -> None:
    assert paired.browser.request(method, "/home").status_code == 405


@pytest.mark.parametrize("path", ["/", "/home", "/nothing"])
def test_every_answer_has_its_headers(paired: Any, path: str) -> None:
    shown = paired.browser.get(path, follow_redirects=False)
    assert {name: shown.headers[name] for name in HEADERS} == HEADERS
    assert shown.headers["content-security-policy"].startswith("default-src 'none'")
    assert "unsafe" not in shown.headers["content-security-policy"]


def test_the_picture_is_for_the_step_that_aims(paired: Any) -> None:
    assert paired.browser.get("/aim/picture").status_code == 204
    paired.browser.get("/aim")
    shown = paired.browser.get("/aim/picture")
    assert shown.headers["content-type"] == "image/jpeg"
    assert shown.content.startswith(b"\xff\xd8")
    assert json.loads(shown.headers["cuelens-seen"])["sentences"][0] == "Light: good."
    paired.browser.get("/home")
    assert paired.browser.get("/aim/picture").status_code == 204


def test_a_phone_that_is_forgotten_watches_no_further(paired: Any) -> None:
    visit = paired.page.visit
    paired.post("/forget-phone")
    # The stream of events ends with its visit.
    assert paired.page.visit is not visit


@pytest.mark.parametrize("happens", ["another phone pairs", "the step is left"])
def test_a_picture_that_is_under_way_does_not_reach_who_may_not_see_it_any_more(
    paired: Any, monkeypatch: pytest.MonkeyPatch, happens: str
) -> None:
    paired.browser.get("/aim")
    ask_glasses = paired.page.glasses.ask

    async def late(*arguments: Any) -> Any:
        seen = await ask_glasses(*arguments)
        if happens == "another phone pairs":
            paired.page.visit = Visit()
        else:
            paired.page.visit.step = ""
        return seen

    monkeypatch.setattr(paired.page.glasses, "ask", late)
    assert paired.browser.get("/aim/picture").status_code == 204


@pytest.fixture
def idle_minutes() -> float:
    """The page as a process ends after so long without a paired phone."""
    return 10.0


@pytest.fixture
def process(played: Any, link_path: Path, idle_minutes: float) -> Any:
    """The page as a process of its own. Returns it and its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "cuelens.page", "--link", str(link_path), "--idle-minutes", str(idle_minutes)]
    child = subprocess.Popen([*command, "--host", "127.0.0.1", "--port", str(port)])
    end_s = time.monotonic() + 20
    while time.monotonic() < end_s and child.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield child, port
    child.kill()
    child.wait()


def ask(port: int, text: bytes) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    connection.sendall(text)
    return connection


@pytest.mark.slow
def test_the_process_is_small(process: Any) -> None:
    child, port = process
    for path in (b"/", b"/code", b"/static/page.css") * 10:
        with ask(port, b"GET " + path + b" HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n") as connection:
            while connection.recv(65536):
                pass
    status = Path(f"/proc/{child.pid}/status").read_text()
    resident_kb = int(status.split("VmRSS:")[1].split()[0])
    assert resident_kb < 60 * 1024
    libraries = Path(f"/proc/{child.pid}/maps").read_text()
    assert "numpy" not in libraries
    assert "cv2" not in libraries


@pytest.mark.slow
@pytest.mark.parametrize("idle_minutes", [0.05])
def test_the_process_ends_by_itself_whatever_a_stranger_asks(process: Any, played: Any) -> None:
    child, port = process
    end_s = time.monotonic() + 60
    while child.poll() is None and time.monotonic() < end_s:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
            connection.recv(15)
        time.sleep(0.1)
    assert child.poll() == 0
    assert played.of(Leave) == [Leave(then="rest")]


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_page_that_is_ended_leaves_the_glasses_at_rest(process: Any, played: Any, number: int, status: int) -> None:
    child, _ = process
    child.send_signal(number)
    assert child.wait(20) == status
    assert played.of(Leave) == [Leave(then="rest")]


@pytest.mark.parametrize("options", [("--port", "99999"), ("--port", "0", "--host", "\udce9")])
def test_an_address_that_is_none_is_refused_in_a_sentence(link_path: Path, played: Any, options: tuple[str]) -> None:
    command = [sys.executable, "-m", "cuelens.page", "--link", str(link_path), *options]
    ended = subprocess.run(command, timeout=30, check=False, capture_output=True, text=True)
    assert (ended.returncode, len(ended.stderr.splitlines())) == (3, 1)


def test_a_port_that_is_taken_leaves_the_glasses_as_they_are(played: Any, link_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        command = [sys.executable, "-m", "cuelens.page", "--link", str(link_path), "--host", "127.0.0.1"]
        ended = subprocess.run(
            [*command, "--port", str(taken.getsockname()[1])], timeout=30, check=False, capture_output=True, text=True
        )
    assert ended.returncode == 3
    assert "cannot be used: Address already in use" in ended.stderr
    assert not played.of(Calibrate)
    assert not played.of(Leave)


@pytest.mark.slow
def test_slow_and_many_connections_are_ended(process: Any) -> None:
    _, port = process
    slow = ask(port, b"GET / HTTP/1.1\r\nhost: loc")
    many = [ask(port, b"GET") for _ in range(40)]
    slow.settimeout(20)
    with contextlib.suppress(ConnectionResetError):
        assert slow.recv(10) == b""
    for connection in many:
        connection.close()
    with ask(port, b"GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n") as connection:
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
    slow.close()
