"""Makes screens of templates."""

import hashlib
from functools import lru_cache
from typing import Any, Final

import jinja2
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from cuelens.page import texts
from cuelens.page.visit import ROOT, STEPS, Call, Page

STATIC: Final = {
    name: ((ROOT / "static" / name).read_bytes(), kind)
    for name, kind in (("page.css", "text/css"), ("page.js", "text/javascript"), ("icon.svg", "image/svg+xml"))
}
"""All static files, in memory: no path of a request ever names a file."""
_ENVIRONMENT: Final = jinja2.Environment(
    loader=jinja2.FileSystemLoader(ROOT / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
# A form that is sent back unchanged changes nothing, so no digit is left out.
_ENVIRONMENT.filters["number"] = lambda value: str(value).removesuffix(".0") if isinstance(value, float) else value


@lru_cache
def address(name: str) -> str:
    """Return the address of a static file, which changes with its content."""
    return f"/static/{name}?{hashlib.sha256(STATIC[name][0]).hexdigest()[:8]}"


def screen(page: Page, call: Call, template: str, status: int = 200, path: str = "", **values: Any) -> Response:
    """Return a screen. Its notice is shown once. path: its address, where that is not the one that was asked for."""
    visit = page.visit
    paired = page.pairing.knows(call.request.cookies.get(COOKIE, ""))
    notice, notice_while = (visit.notice, visit.notice_while) if paired else (None, ())
    if paired:
        visit.notice, visit.notice_while = None, ()
    html = _ENVIRONMENT.get_template(template).render(
        t=call.t,
        csrf=visit.csrf if paired else "",
        paired=paired,
        notice=notice,
        notice_while=notice_while,
        languages=texts.names(),
        path=path or call.request.url.path,
        steps=STEPS,
        static=address,
        calibrating=page.lease.on,
        **values,
    )
    return HTMLResponse(html, status)


def inline(svg: str) -> Markup:
    """Mark a drawing as markup that this program made, with everything in it escaped."""
    return Markup(svg)  # noqa: S704


def go(path: str) -> Response:
    """Send the browser to another screen, after a post."""
    return RedirectResponse(path, 303)


COOKIE: Final = "cuelens"
"""Of the paired phone."""
VISITOR: Final = "cuelens-visitor"
"""Of a phone that is not paired yet: a page elsewhere cannot spend the tries of its code."""
LANGUAGE: Final = "cuelens-language"
