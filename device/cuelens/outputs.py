"""Giving cues: each output on a thread of its own behind a one-place mailbox, so that none ever blocks a beat."""

import math
import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final, Generic, TypeVar

from cuelens.latest import Latest
from cuelens.ports import Light, Voice
from cuelens.profile import LightCue, Profile, light_pattern
from cuelens.types import Cue, LightPattern

T = TypeVar("T")

_AMBER: Final = LightCue(colour="#E69F00", pattern="breath")
_SOFT: Final = LightCue(colour="#303030", pattern="fade", light_s=2.0)
_CLOSE_S: Final = 0.2
_TURN_S: Final = 1.0


class Outputs:
    """The light and the voice of one profile. Either may be absent."""

    def __init__(
        self, profile: Profile, light: Light | None, voice: Voice | None, fault: Callable[[str, str], None]
    ) -> None:
        """fault: told once for each output that fails, with what it said."""
        self._profile = profile
        self._entries = profile.cues.entries()
        self._light = light
        self._voice = voice
        self._lights = _Runner[LightPattern | None]("light", self._shine, fault) if light else None
        self._phrases = _Runner[str]("voice", voice.say, fault) if voice else None

    def give(self, cue: Cue) -> None:
        """Ask for a cue. Returns at once."""
        entry = self._entries.get(cue.expression or "")
        light = self._profile.face_found if cue.kind == "face" else entry and entry.light
        if self._lights and light and "light" in cue.outputs:
            self._lights.put(light_pattern(self._profile, light))
        if self._phrases and entry and entry.phrase and "voice" in cue.outputs:
            self._phrases.put(entry.phrase)

    def trouble(self) -> None:
        """Begin the slow amber breath: the camera is away."""
        self._show(_AMBER, seconds=math.inf)

    def hint(self) -> None:
        """Show one soft light: nothing can be seen (too dark, or covered)."""
        self._show(_SOFT, seconds=_SOFT.light_s)

    def dark(self) -> None:
        """End whatever light is shown."""
        if self._lights:
            self._lights.put(None)

    def close(self) -> None:
        """Go dark and silent now, and give the hardware back. What fails or hangs does not keep the other lit."""
        for runner in (self._lights, self._phrases):
            if runner:
                runner.stop()
        with ExitStack() as ending:
            if self._voice and self._phrases:
                ending.callback(self._voice.close)
                ending.callback(self._phrases.join)
            if self._light and self._lights:
                # The last that was pushed goes first: out goes the light.
                ending.callback(self._light.close)
                ending.callback(self._lights.join)

    def _shine(self, pattern: LightPattern | None) -> None:
        if self._light and pattern:
            self._light.show(pattern)
        elif self._light:
            self._light.off()

    def _show(self, cue: LightCue, seconds: float) -> None:
        if self._lights:
            pattern = light_pattern(self._profile, cue)
            self._lights.put(LightPattern(pattern.colour, pattern.pattern, seconds))


class _Runner(Generic[T]):
    """A thread that does one thing with the latest item."""

    def __init__(self, name: str, act: Callable[[T], None], fault: Callable[[str, str], None]) -> None:
        self._name = name
        self._act = act
        self._fault = fault
        self._failed = False
        self._mailbox: Latest[T] = Latest()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def put(self, item: T) -> None:
        self._mailbox.put(item)

    def stop(self) -> None:
        """Ask the thread to end."""
        self._stopping = True
        self._mailbox.close()

    def join(self) -> None:
        """Wait for the thread's end, a moment at most: hung hardware must not hold up the end."""
        self._thread.join(_CLOSE_S)

    def _run(self) -> None:
        while not self._stopping:
            try:
                item = self._mailbox.take(_TURN_S)
            except TimeoutError:
                continue
            except EOFError:
                return
            try:
                self._act(item)
            except Exception as error:
                # Whatever it is, the next cue must be tried: this thread has nobody above it.
                if not self._failed:
                    self._failed = True
                    self._fault(f"no {self._name}", f"{type(error).__name__}: {error}")
