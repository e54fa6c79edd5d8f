"""Aim: what the camera sees, while this screen is open. The picture is passed on as it comes, and kept nowhere."""

import json
from typing import Any, Final

import anyio
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from cuelens.link.replies import Picture
from cuelens.link.requests import Look
from cuelens.page import draft
from cuelens.page.gate import Gate
from cuelens.page.texts import Texts
from cuelens.page.view import go, screen
from cuelens.page.visit import Call, Page
from cuelens_models.errors import AbsentDevice, CuelensError

PICTURE_S: Final = 0.125
"""Shortest time between two pictures: eight a second."""
TILT: Final = "view.tilt_degrees"
_MOST_TILT: Final = 30.0
LEANS_DEGREES: Final = 8.0
"""A head that leans by less is taken for level."""


def routes(gate: Gate) -> list[Route]:
    """Return the routes of this step."""
    return [gate.get("/aim", show), gate.post("/aim", turn, "/aim"), gate.get("/aim/picture", picture)]


async def show(page: Page, call: Call) -> Response:
    """Show the step."""
    profile = await draft.opened(page, "aim")
    return screen(page, call, "aim.html", step="aim", tilt=draft.get(profile, TILT))


async def turn(page: Page, call: Call) -> Response:
    """Set by how much the glasses are tilted."""
    try:
        degrees = float(call.text("tilt"))
    except ValueError:
        degrees = 0.0
    await draft.change(page, "aim", {TILT: max(-_MOST_TILT, min(_MOST_TILT, degrees))})
    page.visit.notice = ("good", call.t("aim.turned"))
    return go("/aim")


async def picture(page: Page, call: Call) -> Response:
    """Pass on what the camera sees now, with what there is to say about it in a header."""
    visit = page.visit
    if visit.step != "aim":
        return _nothing()
    now_s = page.clock()
    wait_s = page.looked_s + PICTURE_S - now_s
    page.looked_s = max(now_s, page.looked_s + PICTURE_S)
    await anyio.sleep(max(0.0, min(wait_s, 1.0)))
    try:
        seen = await page.glasses.ask(Look(), Picture)
    except CuelensError as error:
        return PlainTextResponse(call.t("page.lost" if isinstance(error, AbsentDevice) else "aim.no_picture"), 503)
    if page.visit is not visit or visit.step != "aim":
        # The step was left, or another phone paired, while the picture was under way.
        return _nothing()
    return Response(seen.jpeg, media_type="image/jpeg", headers={"cuelens-seen": json.dumps(said(seen, call.t))})


def _nothing() -> Response:
    """Return no picture. That a step is left while one is asked for is no fault, which a browser would log."""
    return Response(status_code=204)


def said(seen: Picture, t: Texts) -> dict[str, Any]:
    """Return boxes as shares of the picture, and light, distance and tilt in words."""
    sentences = [t(f"aim.light_{seen.light.replace(' ', '_')}"), t(f"aim.distance_{seen.distance.replace(' ', '_')}")]
    if seen.faces:
        lean = seen.faces[0].tilt
        side = "level" if abs(lean) < LEANS_DEGREES else "left" if lean > 0 else "right"
        sentences.append(t(f"aim.tilt_{side}"))
    boxes = [[face.left, face.top, face.width, face.height, face.tilt] for face in seen.faces]
    return {"number": seen.number, "faces": boxes, "sentences": sentences}
