"""Glasses that are only played, over a real link. The real daemon takes their place later.

python tests/device/page/stand_in.py --socket /tmp/x/link.sock    # for a look at the page without glasses
"""

import argparse
import math
import threading
import time
from pathlib import Path
from typing import Any

import cv2
import msgspec
import numpy as np

from cuelens.link import replies, requests
from cuelens.link.replies import Collected, Done, Entry, Glasses, Happening, Refused, Reply, SeenFace, StoredSession
from cuelens.link.requests import Request
from cuelens.link.server import Server
from cuelens.profile.profile import Profile


class View(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key that the profile gets with the camera's tilt."""

    tilt_degrees: float = 0.0


class TiltedProfile(Profile, frozen=True):
    view: View = View()


def face_picture(number: int) -> bytes:
    """A drawing of a face, as JPEG."""
    rows = np.linspace(205, 165, 240, dtype=np.uint8)
    picture = np.repeat(np.repeat(rows[:, None], 320, axis=1)[:, :, None], 3, axis=2).copy()
    x = 160 + round(6 * math.sin(number / 8))
    cv2.ellipse(picture, (x, 250), (95, 60), 0, 0, 360, (150, 128, 96), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (x, 122), (48, 62), 0, 0, 360, (150, 178, 214), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (x, 86), (50, 34), 0, 180, 360, (58, 72, 92), -1, cv2.LINE_AA)
    for side in (-1, 1):
        cv2.circle(picture, (x + side * 18, 116), 5, (60, 60, 60), -1, cv2.LINE_AA)
    cv2.ellipse(picture, (x, 142), (20, 12), 0, 20, 160, (86, 86, 150), 3, cv2.LINE_AA)
    done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 80])
    assert done
    return jpeg.tobytes()


class PlayedGlasses:
    """Answers every message of the page, much as the glasses would."""

    def __init__(self, path: Path, *, tilts: bool = False) -> None:
        self.asked: list[Request] = []
        self.kind = TiltedProfile if tilts else Profile
        self.saved = {"default": self.raw(self.kind())}
        self.active = "default"
        self.draft: Any = None
        self.button = True
        self.waiting: Any = None
        self.recordings: dict[str, bytes] = {}
        self.happenings: list[Happening] = []
        self.collected: dict[str, float] = {}
        self.shown: str | None = None
        self.since_s = 0.0
        self.speed = 1.0
        self.calibrating = False
        self.cues = False
        self.state = "running"
        self.fields: dict[str, Any] = {}
        self.helped = True
        self.share = 0.5
        self.pictures = 0
        self.sessions: tuple[StoredSession, ...] = ()
        self.table = "session,began\n1,2026-10-08T15:02:11\n"
        self.lock = threading.Lock()
        self.closed = False
        self.server = Server(path, self.answer)

    def close(self) -> None:
        """End, as often as it is asked for."""
        if not self.closed:
            self.closed = True
            self.server.close()

    @staticmethod
    def raw(profile: Profile) -> dict[str, Any]:
        found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(profile))
        return found

    @property
    def profile(self) -> dict[str, Any]:
        """The profile in force."""
        found: dict[str, Any] = self.draft or self.saved[self.active]
        return found

    def of(self, kind: type[Any]) -> list[Any]:
        """Return the messages of one kind that came."""
        return [one for one in self.asked if isinstance(one, kind)]

    def happen(self, kind: str, word: str) -> None:
        """Let something happen."""
        self.happenings.append(Happening(number=len(self.happenings) + 1, kind=kind, word=word, ago_s=0.0))

    def answer(self, request: Request) -> Reply:
        """Answer a message."""
        with self.lock:
            self.asked.append(request)
            return self._answer(request)

    def _answer(self, request: Request) -> Reply:
        match request:
            case requests.Watch():
                return self._watched(request.since)
            case requests.Calibrate():
                self.calibrating, self.cues = True, request.cues
                return Done(text="calibrating")
            case requests.Leave():
                self.calibrating = False
                return Done(text="left")
            case requests.ReadStory():
                day = "2026-10-08" if self.sessions else ""
                return replies.Story(day=day, sessions=self.sessions, more=0)
            case requests.ReadTable():
                end = request.offset + 20
                following = end if end < len(self.table) else None
                return replies.Table(text=self.table[request.offset : end], following=following)
            case requests.ForgetStory():
                self.sessions = ()
                return Done(text="the story is deleted")
            case requests.TellCode():
                return Done(text="told")
        if not self.calibrating:
            return Refused(text="there is no calibration")
        return self._shown(request) or self._calibrated(request)

    def _shown(self, request: Request) -> Reply | None:
        match request:
            case requests.Look():
                self.pictures += 1
                face = SeenFace(left=0.34, top=0.22, width=0.32, height=0.56, tilt=2.0)
                return replies.Picture(
                    jpeg=face_picture(self.pictures), number=self.pictures, faces=(face,), light="good", distance="good"
                )
            case requests.ReadProfile():
                raw = msgspec.Raw(msgspec.json.encode(self.profile))
                return replies.Profiles(
                    profile=raw,
                    name=self.active,
                    names=tuple(sorted(self.saved)),
                    draft=self.draft is not None,
                    waiting=self.waiting is not None,
                )
            case requests.Correct():
                shares = dict.fromkeys(self.collected, self.share)
                return replies.Corrected(
                    helped=self.helped, before=shares, after=dict.fromkeys(shares, 0.9) if self.helped else shares
                )
        return None

    def _calibrated(self, request: Request) -> Reply:
        match request:
            case requests.Draft():
                try:
                    self.draft = self.raw(msgspec.json.decode(bytes(request.profile), type=self.kind))
                except msgspec.ValidationError as error:
                    return Refused(text=f"the profile cannot be used: {error}")
            case requests.Try():
                if not self.profile["cues"].get(request.word):
                    return Refused(text=f"there is no cue for {request.word}")
                self.happen("try", request.word)
            case requests.Record():
                return self._record(request)
            case requests.Collect():
                self.shown, self.since_s = request.shown, time.monotonic()
            case requests.StopCollecting():
                self._count()
                self.shown = None
                self.collected = {} if request.drop else self.collected
            case requests.FactoryReset():
                self.saved, self.active, self.draft = {"default": self.raw(self.kind())}, "default", None
            case _:
                return self._profiles(request)
        return Done(text="done")

    def _profiles(self, request: Request) -> Reply:
        match request:
            case requests.Save():
                self.saved[self.active] = self.profile
            case requests.Choose() | requests.Remove() if request.name not in self.saved:
                return Refused(text=f"there is no profile {request.name}")
            case requests.Choose():
                self.active = request.name
            case requests.Create() if request.name in self.saved:
                return Refused(text=f"there is a profile {request.name} already")
            case requests.Create():
                self.saved[request.name], self.active = self.saved[self.active], request.name
            case requests.Remove():
                del self.saved[request.name]
                return Done(text="removed")
            case requests.TakeUpDraft():
                self.draft, self.waiting = self.waiting, None
                return Done(text="taken up")
            case requests.Discard():
                self.waiting = None
        self.draft = None
        return Done(text="done")

    def _record(self, request: requests.Record) -> Reply:
        changed: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(self.profile))
        entry = changed["cues"].get(request.word) or {"light": None}
        name = f"{request.word}-{len(self.recordings) + 1}.wav"
        if request.wav:
            self.recordings[name] = request.wav
        changed["cues"][request.word] = {**entry, "recording": name if request.wav else None}
        self.draft = changed
        return Done(text="recorded")

    def _count(self) -> None:
        if self.shown:
            self.collected[self.shown] = (time.monotonic() - self.since_s) * self.speed

    def _watched(self, since: int) -> Glasses:
        self._count()
        later = tuple(one for one in self.happenings if one.number > since)[-50:]
        values = {
            "title": "cuelens 0.9, played",
            "state": self.state,
            "calibrating": self.calibrating,
            "muted": False,
            "paused": False,
            "button": self.button,
            "speaks": True,
            "light": True,
            "temperature_c": 51.5,
            "under_voltage": False,
            "strained": False,
            "profile": self.active,
            "refused": "",
            "warnings": (),
            "taken_back": (),
            "faults": (),
            "faces": 1,
            "time_s": time.time(),
            "clock_set": True,
            "collected": Collected(shown=self.shown, seconds=dict(self.collected), face=True),  # type: ignore[arg-type]
        }
        return Glasses(happenings=later, **{**values, **self.fields})


def a_day() -> tuple[StoredSession, ...]:
    """Two sessions."""
    words = ("happy", "surprise", "happy", "sad", "happy", "angry", "happy")
    cues = [
        Entry(t=70.0 + 130 * place, kind="cue", word=word, detail="expression", outputs=("light",))
        for place, word in enumerate(words)
    ]
    rest = [
        Entry(t=300.0, kind="press", word="ask", detail="", outputs=()),
        Entry(t=301.0, kind="cue", word="unsure", detail="answer", outputs=("light",)),
        Entry(t=900.0, kind="mute", word="on", detail="", outputs=()),
        Entry(t=1010.0, kind="mute", word="off", detail="", outputs=()),
    ]
    first = StoredSession(
        began="2026-10-08T15:02:11",
        mode="companion",
        school=False,
        seconds=1200.0,
        ended="time",
        faces_s=410.0,
        entries=tuple(sorted([*cues, *rest], key=lambda entry: entry.t)),
    )
    second = msgspec.structs.replace(first, began="2026-10-08T17:40:00", seconds=520.0, entries=tuple(cues[:3]))
    return first, second


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--socket", type=Path, required=True)
    glasses = PlayedGlasses(parser.parse_args().socket, tilts=True)
    glasses.sessions = a_day()
    glasses.speed = 3.0
    while True:
        time.sleep(5)
        if glasses.cues:
            glasses.happen("expression", "happy")


if __name__ == "__main__":
    main()
