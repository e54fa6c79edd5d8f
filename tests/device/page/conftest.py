"""The page over a real link to glasses that are played."""

import importlib.util
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

pytest.importorskip("starlette", reason="the page comes with the extra web")
pytest.importorskip("uvicorn", reason="the page comes with the extra web")
pytest.importorskip("httpx2", reason="the page's tests need httpx2")

from starlette.testclient import TestClient

from cuelens.page import app
from cuelens.page.glasses import GlassesClient
from cuelens.page.lease import Lease
from cuelens.page.pairing import Pairing
from cuelens.page.visit import Page


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


stand_in = _load("stand_in")
_load("person")


@dataclass
class Clock:
    """A steady clock that stands still until it is moved."""

    now_s: float = 1000.0

    def __call__(self) -> float:
        return self.now_s


@dataclass
class Setting:
    """Everything of a test: played glasses, the page, a browser."""

    glasses: Any
    page: Page
    clock: Clock
    browser: TestClient
    told: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)

    def token(self, path: str) -> str:
        """Return the token in the forms of a screen."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.browser.get(path).text)
        assert found
        return found[1]

    def pair(self) -> None:
        """Type the right code."""
        code = self.page.pairing.code
        done = self.browser.post("/pair", data={"csrf": self.token("/"), "code": code}, follow_redirects=False)
        assert done.headers["location"] == "/home"

    def post(self, path: str, **values: str) -> Any:
        """Post a form as the paired phone."""
        return self.browser.post(path, data={"csrf": self.page.visit.csrf, **values})


@pytest.fixture
def link_path() -> Iterator[Path]:
    """A path for a socket, short enough."""
    with tempfile.TemporaryDirectory(prefix="page") as name:
        yield Path(name) / "link.sock"


@pytest.fixture
def played(link_path: Path) -> Iterator[Any]:
    """Played glasses."""
    glasses = stand_in.PlayedGlasses(link_path, tilts=True)
    glasses.sessions = stand_in.a_day()
    yield glasses
    glasses.close()


@pytest.fixture
def setting(played: Any, link_path: Path, soon: Callable[[Callable[[], object]], bool]) -> Iterator[Setting]:
    """The page before anybody is paired."""
    client, clock = GlassesClient([link_path]), Clock()
    lease = Lease(client.ask_now, clock, every_s=30.0)
    lease.begin()
    told: list[str] = []
    times: list[float] = []
    page = Page(client, lease, pairing=Pairing(), clock=clock, show_code=told.append, set_time=times.append)
    assert soon(lambda: played.calibrating)
    with TestClient(app.make(page), base_url="http://cuelens.local", client=("127.0.0.1", 50000)) as browser:
        yield Setting(played, page, clock, browser, told, times)
    lease.close()


@pytest.fixture
def paired(setting: Setting) -> Setting:
    """The page, with this browser paired."""
    setting.pair()
    return setting
