"""What stands between a request and its screen: the cookie, the token of the form, the language, and failures."""

import hmac
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qsl

from starlette.datastructures import ImmutableMultiDict
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cuelens.page import texts
from cuelens.page.security import TooLarge
from cuelens.page.texts import Texts
from cuelens.page.view import COOKIE, LANGUAGE, VISITOR, go, screen
from cuelens.page.visit import Call, Page
from cuelens_models.errors import CuelensError

Screen = Callable[[Page, Call], Awaitable[Response]]
_FORM: Final = "application/x-www-form-urlencoded"
_MOST_FIELDS: Final = 600
_OWN: Final = "accept-language"
_YEAR_S: Final = 365 * 24 * 3600
_QUIET: Final = ("/events", "/aim/picture")
"""Asked for by the page itself. A phone that was left on the table does not keep the calibration on by these."""
_WITHOUT_SET_UP: Final = ("/home", "/calibrate", "/clock", *_QUIET)
"""What makes sense to ask for while set-up is off. Other screens lead to the overview then."""


class Malformed(ValueError):
    """A body that no form of the page makes."""


class Gate:
    """Makes routes of screens.

    Attributes:
        page: what all screens share.
    """

    def __init__(self, page: Page) -> None:
        """Begin with nobody paired."""
        self.page = page

    def open(self, path: str, shown: Screen) -> Route:
        """Return a route for everybody."""
        return Route(path, self._endpoint(shown, paired=False), methods=["GET"])

    def open_post(self, path: str, done: Screen) -> Route:
        """Return a route for what somebody posts who is not paired."""
        return Route(path, self._endpoint(done, paired=False), methods=["POST"])

    def get(self, path: str, shown: Screen) -> Route:
        """Return a route that shows something to the paired phone."""
        return Route(path, self._endpoint(shown, paired=True), methods=["GET"])

    def post(self, path: str, done: Screen, back: str = "/home") -> Route:
        """Return a route that does something for the paired phone. back: where a refusal of the glasses is shown."""
        return Route(path, self._endpoint(done, paired=True, back=back), methods=["POST"])

    def _endpoint(self, shown: Screen, *, paired: bool, back: str = "") -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            chosen = request.query_params.get("language", "")
            t = self._texts(request, chosen)
            try:
                form = await _form(request) if request.method == "POST" else ImmutableMultiDict()
            except TooLarge as error:
                return PlainTextResponse(str(error), 413, {"connection": "close"})
            except TimeoutError:
                return PlainTextResponse("what was sent did not come in time", 408, {"connection": "close"})
            except ClientDisconnect:
                return PlainTextResponse("", 400)
            except Malformed as error:
                return PlainTextResponse(str(error), 400)
            refusal = self._refusal(request, form, paired)
            response = refusal or await self._shown(shown, Call(request, form, t), back, paired=paired)
            if chosen in texts.available():
                response.set_cookie(LANGUAGE, chosen, max_age=_YEAR_S, httponly=True, samesite="strict")
            return response

        return endpoint

    def _refusal(self, request: Request, form: ImmutableMultiDict[str, str], paired: bool) -> Response | None:
        is_post = request.method == "POST"
        if not paired:
            expected = request.cookies.get(VISITOR, "")
        elif not self.page.pairing.knows(request.cookies.get(COOKIE, "")):
            return PlainTextResponse("this phone is not paired: open the first screen", 403) if is_post else go("/")
        else:
            expected = self.page.visit.csrf
            if request.url.path not in _QUIET:
                self.page.used_s = self.page.clock()
            if not (is_post or self.page.lease.on or request.url.path in _WITHOUT_SET_UP):
                # Another window has ended the set-up. The overview says so, and how to begin it again.
                return go("/home")
        token = request.headers.get("x-cuelens", "") or form.get("csrf", "")
        if is_post and not (expected and hmac.compare_digest(token.encode(), expected.encode())):
            return PlainTextResponse("this form is out of date: go back, reload the page, and send it again", 403)
        return None

    async def _shown(self, shown: Screen, call: Call, back: str, *, paired: bool) -> Response:
        try:
            return await shown(self.page, call)
        except CuelensError as error:
            if paired and not self.page.lease.on and call.request.url.path not in _WITHOUT_SET_UP:
                return go("/home")
            if back:
                self.page.visit.notice = ("bad", str(error))
                return go(back)
            return screen(self.page, call, "trouble.html", 503, sentence=str(error))

    def _texts(self, request: Request, chosen: str) -> Texts:
        known = texts.available()
        # Phones name the languages of their owner, the first choice first, as "es-MX,es;q=0.9,en;q=0.8".
        own = (one.partition(";")[0].partition("-")[0].strip() for one in request.headers.get(_OWN, "").split(","))
        for code in (chosen, request.cookies.get(LANGUAGE, ""), *own):
            if code in known:
                return Texts(code)
        return Texts(texts.FACTORY)


async def _form(request: Request) -> ImmutableMultiDict[str, str]:
    """Read what was posted. Returns the fields of a form; none of a voice, which the request then holds."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if not body or kind == "audio/wav":
        return ImmutableMultiDict()
    if kind != _FORM:
        raise Malformed("what was sent is no form of the page")
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            strict_parsing=True,
            errors="strict",
            max_num_fields=_MOST_FIELDS,
        )
    except ValueError as error:
        raise Malformed("what was sent is no form that can be read") from error
    return ImmutableMultiDict(pairs)
