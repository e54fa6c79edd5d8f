"""Giving cues: light and voice each on a thread of its own behind a one-place mailbox, so that none blocks a beat."""

import math
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

from cuelens import calm
from cuelens.calm import Shown
from cuelens.dimming import Dimming, wanted_percent
from cuelens.latest import Latest
from cuelens.lights import PRESSED, TROUBLE, endless, light_pattern, lights
from cuelens.ports import Light, Voice
from cuelens.profile import Profile
from cuelens.types import Cue, LightPattern

_CLOSE_S: Final = 0.2
_TURN_S: Final = 1.0
_OFF: Final = LightPattern((0.0, 0.0, 0.0), "steady", 0.0)


class Outputs:
    """The light and the voice of one profile. Either may be absent. Safe from any thread, and none of it waits."""

    def __init__(
        self, profile: Profile, light: Light | None, voice: Voice | None, fault: Callable[[str, str], None]
    ) -> None:
        """fault: told once for each output that fails, with what it said."""
        self._lights = lights(profile)
        self._dimming = Dimming(profile.light)
        self._percent = wanted_percent(profile.light, None, None)
        self._light = _Lighting(light, fault) if light else None
        self._voice = _Speaking(voice, fault) if voice else None
        self._lock = threading.Lock()
        self._muted = False
        self._resting = False

    def give(self, cue: Cue) -> None:
        """Ask for a cue. What nobody asked for is dropped once the wearer has muted the glasses or put them to rest."""
        with self._lock:
            if self._resting or (self._muted and cue.kind != "answer"):
                return
            if "light" in cue.outputs:
                self._show(cue.word)
            if self._voice and "voice" in cue.outputs:
                self._voice.say(cue.word)

    def hush(self, *, muted: bool, resting: bool) -> None:
        """Be muted (answers only, by light), or rest (no cue at all), from now on; what is being said is cut off."""
        with self._lock:
            self._muted, self._resting = muted, resting
            if self._voice:
                self._voice.hush(on=muted or resting)

    def acknowledge(self) -> None:
        """Show that a press was felt."""
        if self._light:
            self._light.show(light_pattern(PRESSED, self._percent))

    def confirm(self, what: str) -> None:
        """Show what a press has done, or that the state of things is another one now."""
        self._show(what)

    def trouble(self) -> None:
        """Begin the slow amber breath: the camera is away. Other lights interrupt it and do not end it."""
        if self._light:
            self._light.stand(endless(light_pattern(TROUBLE, self._percent)))

    def dark(self) -> None:
        """End the amber breath."""
        if self._light:
            self._light.stand(None)

    def look_around(self, t: float, lux: float | None, mean: float | None) -> None:
        """Let the lights that follow be as strong as it is bright around (see `dimming`)."""
        self._percent = self._dimming.percent(t, lux, mean)

    def close(self) -> None:
        """Go dark and silent now, and give the hardware back. What fails or hangs does not keep the other lit."""
        for output in (self._light, self._voice):
            if output:
                output.stop()
        with ExitStack() as ending:
            # The last that was pushed goes first: out goes the light.
            for output in (self._voice, self._light):
                if output:
                    ending.callback(output.close)

    def _show(self, word: str) -> None:
        if self._light and word in self._lights:
            self._light.show(light_pattern(self._lights[word], self._percent))


class _Lighting:
    """A thread that shows the latest pattern, calmly, and then what stands behind it, if anything does."""

    def __init__(self, light: Light, fault: Callable[[str, str], None]) -> None:
        self._light = light
        self._fault = _Once("light", fault)
        self._mailbox: Latest[LightPattern | None] = Latest()
        self._standing: LightPattern | None = None
        self._last: Shown | None = None
        self._turn = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="light", daemon=True)
        self._thread.start()

    def show(self, pattern: LightPattern) -> None:
        self._mailbox.put(pattern)

    def stand(self, pattern: LightPattern | None) -> None:
        """Show a pattern whenever nothing else is; None ends it, and no other light."""
        with self._turn:
            ends = pattern is None and self._last is not None and self._last.pattern is self._standing
            self._standing = pattern
        if pattern or ends:
            self._mailbox.put(pattern)

    def stop(self) -> None:
        self._mailbox.close()

    def close(self) -> None:
        """Wait for the thread's end, a moment at most: hung hardware must not hold up the end."""
        self._thread.join(_CLOSE_S)
        self._light.close()

    def _run(self) -> None:
        while True:
            try:
                pattern = self._mailbox.take(self._lit_s())
                if pattern:
                    pattern = self._calmly(pattern)
            except TimeoutError:
                if self._standing is None or (self._last and self._last.pattern is self._standing):
                    continue
                pattern = self._standing
            except EOFError:
                return
            with self._fault:
                self._do(pattern)

    def _do(self, pattern: LightPattern | None) -> None:
        with self._turn:
            if pattern and math.isinf(pattern.seconds) and pattern is not self._standing:
                # What it stood for was over before it could be shown.
                return
            self._last = Shown(pattern or _OFF, time.monotonic())
        if pattern is None:
            self._light.off()
        else:
            self._light.show(pattern)

    def _calmly(self, pattern: LightPattern) -> LightPattern | None:
        """Return the latest pattern once it may begin."""
        while (wait_s := calm.wait_s(self._last, pattern, time.monotonic())) > 0:
            try:
                newer = self._mailbox.take(wait_s)
            except TimeoutError:
                continue
            if newer is None:
                return None
            pattern = newer
        return pattern

    def _lit_s(self) -> float:
        """Return for how long what is shown goes on, a second at most."""
        if self._last is None:
            return _TURN_S
        return min(max(0.0, self._last.t + calm.lasts_s(self._last.pattern) - time.monotonic()) or _TURN_S, _TURN_S)


class _Speaking:
    """A thread that says the latest word. What was hushed meanwhile is cut off as soon as it was begun."""

    def __init__(self, voice: Voice, fault: Callable[[str, str], None]) -> None:
        self._voice = voice
        self._fault = _Once("voice", fault)
        self._mailbox: Latest[str] = Latest()
        self._hushed = False
        self._thread = threading.Thread(target=self._run, name="voice", daemon=True)
        self._thread.start()

    def say(self, word: str) -> None:
        self._mailbox.put(word)

    def hush(self, *, on: bool) -> None:
        self._hushed = on
        if on:
            with self._fault:
                self._voice.silence()

    def stop(self) -> None:
        self._hushed = True
        self._mailbox.close()

    def close(self) -> None:
        """Wait for the thread's end, a moment at most, and be silent."""
        self._thread.join(_CLOSE_S)
        self._voice.close()

    def _run(self) -> None:
        while True:
            try:
                word = self._mailbox.take(_TURN_S)
            except TimeoutError:
                continue
            except EOFError:
                return
            with self._fault:
                if not self._hushed:
                    self._voice.say(word)
                if self._hushed:
                    self._voice.silence()


class _Once:
    """Tells of the first error under it, and lets the next cue be tried: these threads have nobody above them."""

    def __init__(self, name: str, fault: Callable[[str, str], None]) -> None:
        self._name = name
        self._fault = fault
        self._failed = False

    def __enter__(self) -> None:
        """Nothing to begin."""

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if isinstance(error, Exception) and not self._failed:
            self._failed = True
            self._fault(f"no {self._name}", f"{type(error).__name__}: {error}")
        return isinstance(error, Exception)
