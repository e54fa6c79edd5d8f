"""Giving cues: light and voice each on a thread of its own behind a one-place mailbox, so that none blocks a beat."""

import threading
from collections.abc import Callable
from contextlib import ExitStack

from cuelens.light.brightness import Dimming, wanted_percent
from cuelens.light.cue_lights import PRESSED, TROUBLE, endless, light_pattern, lights
from cuelens.ports import Light, Voice
from cuelens.profile.profile import Profile
from cuelens.runtime.light_thread import LightThread
from cuelens.runtime.voice_thread import VoiceThread
from cuelens.types import Cue


class Outputs:
    """The light and the voice of one profile. Either may be absent. Safe from any thread, and none of it waits."""

    def __init__(
        self, profile: Profile, light: Light | None, voice: Voice | None, fault: Callable[[str, str], None]
    ) -> None:
        """fault: told once for each output that fails, with what it said."""
        self._lights = lights(profile)
        self._dimming = Dimming(profile.light)
        self._percent = wanted_percent(profile.light, None, None)
        self._light = LightThread(light, fault) if light else None
        self._voice = VoiceThread(voice, fault) if voice else None
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

    def set_ambient(self, t: float, lux: float | None, mean: float | None) -> None:
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
