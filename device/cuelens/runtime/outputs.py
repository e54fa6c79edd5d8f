"""Gives cues. Light and voice each have a thread behind a one-place mailbox, so that neither blocks a beat."""

import threading
from collections.abc import Callable
from contextlib import ExitStack

from cuelens.light.brightness import Dimming, target_percent
from cuelens.light.cue_lights import PRESS, TROUBLE, endless, light_pattern, lights
from cuelens.ports import Light, Voice
from cuelens.profile.profile import Profile
from cuelens.runtime.light_thread import LightThread
from cuelens.runtime.voice_thread import VoiceThread
from cuelens.types import Cue


class Outputs:
    """The light and the voice for one profile. Either may be absent. Thread-safe; no method blocks but `close`."""

    def __init__(
        self, profile: Profile, light: Light | None, voice: Voice | None, fault: Callable[[str, str], None]
    ) -> None:
        """Start the threads.

        Args:
            profile: colours, patterns and brightness.
            light: the light, if there is one.
            voice: the voice, if there is one.
            fault: is called once for each output that fails, with name and error.
        """
        self._lights = lights(profile)
        self._dimming = Dimming(profile.light)
        self._ambient: tuple[float | None, float | None] = (None, None)
        self._percent = target_percent(profile.light, *self._ambient)
        self._light = LightThread(light, fault) if light else None
        self._fault = fault
        self._voice = VoiceThread(voice, fault) if voice else None
        self._lock = threading.Lock()
        self._muted = False
        self._resting = False
        self._in_trouble = False
        self._shown: str | None = None

    def give(self, cue: Cue) -> None:
        """Give a cue. It is dropped while the glasses rest and, unless it is an answer, while they are muted."""
        with self._lock:
            if self._resting or (self._muted and cue.kind != "answer"):
                return
            if "light" in cue.outputs:
                self._show(cue.word)
            if self._voice and "voice" in cue.outputs:
                self._voice.say(cue.word)

    def end(self, word: str) -> None:
        """End the light of a word, unless another has taken its place. word: "" for none."""
        if self._light and self._shown == word:
            self._light.end()

    def hush(self, *, muted: bool, resting: bool) -> None:
        """Set muted (answers only, by light) and resting (no cue at all). Either cuts off speech."""
        with self._lock:
            self._muted, self._resting = muted, resting
            if self._voice:
                self._voice.hush(on=muted or resting)

    def change(self, profile: Profile, voice: Voice | None) -> Callable[[], None]:
        """Use another profile from the next cue on, and for the orange breath now.

        Returns a function that closes the voice so far; it may block. Call `change` on the thread that calls
        `set_ambient` and `trouble`.

        Args:
            profile: colours, patterns and brightness.
            voice: the voice, if there is one.
        """
        with self._lock:
            before, self._voice = self._voice, VoiceThread(voice, self._fault) if voice else None
            self._lights = lights(profile)
            self._dimming = Dimming(profile.light)
            self._percent = target_percent(profile.light, *self._ambient)
            if self._voice:
                self._voice.hush(on=self._muted or self._resting)
        if self._in_trouble:
            self.trouble()
        if before is None:
            return lambda: None
        before.stop()
        return before.close

    def acknowledge(self) -> None:
        """Acknowledge a press by light."""
        if self._light:
            self._shown = None
            self._light.show(light_pattern(PRESS, self._percent))

    def confirm(self, what: str) -> None:
        """Show a gesture's effect or a new state by light. what: name of the light."""
        self._show(what)

    def blink(self, word: str = "") -> None:
        """Blink once, for a code. word: a digit to say besides, if there is a voice; "" for none."""
        with self._lock:
            self._show("code")
            if word and self._voice:
                self._voice.say(word)

    def trouble(self) -> None:
        """Begin the slow orange breath, in the background of other lights: the camera is away."""
        self._in_trouble = True
        if self._light:
            self._light.stand(endless(light_pattern(TROUBLE, self._percent)))

    def dark(self) -> None:
        """End the orange breath of the light, which shows a fault."""
        self._in_trouble = False
        if self._light:
            self._light.stand(None)

    def set_ambient(self, t: float, lux: float | None, mean: float | None) -> None:
        """Adapt the brightness of later lights to the surroundings.

        Args:
            t: time of the frame, in seconds.
            lux: the camera's light level; None if it has none.
            mean: the picture's mean grey level, 0 to 255; None if unknown.
        """
        self._ambient = (lux, mean)
        self._percent = self._dimming.percent(t, lux, mean)

    def close(self) -> None:
        """Turn light and voice off and release the hardware. One that fails or hangs does not stop the other."""
        for output in (self._light, self._voice):
            if output:
                output.stop()
        with ExitStack() as ending:
            # Callbacks run in reverse order: the light is first.
            for output in (self._voice, self._light):
                if output:
                    ending.callback(output.close)

    def _show(self, word: str) -> None:
        if self._light and word in self._lights:
            self._shown = word
            self._light.show(light_pattern(self._lights[word], self._percent))
