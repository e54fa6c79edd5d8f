"""A phone without a screen, for benchmarks of the caregiver's page: HTTP with cookies."""

import re
from http.cookiejar import CookieJar
from typing import Final
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, Request, build_opener

ANSWER_S: Final = 20.0


class Phone:
    """A phone of the page on this machine. Its methods raise OSError if the page refuses, or is gone."""

    def __init__(self, port: int) -> None:
        self._address = f"http://localhost:{port}"
        self._opener = build_opener(HTTPCookieProcessor(CookieJar()))

    def get(self, path: str) -> bytes:
        """Open a screen, and return it."""
        content: bytes = self._opener.open(self._address + path, timeout=ANSWER_S).read()
        return content

    def post(self, path: str, screen: bytes, **values: str) -> bytes:
        """Post a form of a screen, with its hidden token."""
        token = re.search(rb'name="(csrf|visitor|token)" value="([^"]+)"', screen)
        fields = values | ({token[1].decode(): token[2].decode()} if token else {})
        request = Request(self._address + path, urlencode(fields).encode(), {"Origin": self._address})  # noqa: S310
        content: bytes = self._opener.open(request, timeout=ANSWER_S).read()
        return content
