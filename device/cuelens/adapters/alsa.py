"""Playback through ALSA: one `aplay` child process a clip, stopped early on request and killed at its deadline.

A system service has no PulseAudio or PipeWire, so `aplay` opens the card itself. A hung card hangs the child only.
"""

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from cuelens.sound import clip
from cuelens.sound.clip import Clip
from cuelens.sound.earcons import wake
from cuelens_models.errors import AbsentDevice

_PATIENCE_S: Final = 0.5
_GRACE_S: Final = 2.0
"""Deadline of a child, counted from the end of its clip: opening a card takes up to a second."""
_MOST_CHILDREN: Final = 8
"""Limit on children. One that hangs in the kernel survives the kill, and a thread waits for each."""


@dataclass(frozen=True, slots=True)
class _Sound:
    """A clip as `aplay` reads it. wav: the wake tone, then the clip, volume applied. seconds: length of both."""

    wav: bytes
    seconds: float


class AlsaVoice:
    """A voice that plays a prepared clip for each word. Safe to call from any thread."""

    def __init__(
        self,
        prepare: Callable[[], Iterable[tuple[str, Clip]]],
        device: str,
        volume: float,
        complain: Callable[[str], None],
    ) -> None:
        """Start a thread that prepares the clips. Each can be played as soon as it is ready.

        Raises AbsentDevice if aplay is not installed.

        Args:
            prepare: Yields words and their clips.
            device: ALSA name of the sound card.
            volume: Factor on the samples, 0 to 1.
            complain: Called with a sentence when the card fails, and when preparing fails; once for each.
        """
        aplay = shutil.which("aplay")
        if aplay is None:
            raise AbsentDevice("aplay is not installed: run `sudo apt install alsa-utils`")
        self._command = [aplay, "-q", "-D", device, "-"]
        self._prepare = prepare
        self._device = device
        self._volume = volume
        self._complain = complain
        self._complained = False
        self._closed = False
        self._sounds: dict[str, _Sound] = {}
        self._all_ready = False
        self._request = 0
        self._changed = threading.Condition()
        self._child: subprocess.Popen[bytes] | None = None
        self._children = 0
        threading.Thread(target=self._make_ready, name="render phrases", daemon=True).start()

    def say(self, word: str) -> None:
        """Play the clip of a word. It replaces the current one. A clip not ready within half a second is dropped."""
        with self._changed:
            self._request += 1
            mine = self._request
            self._changed.wait_for(
                lambda: self._all_ready or self._request != mine or word in self._sounds, _PATIENCE_S
            )
            sound = self._sounds.get(word)
            if sound is None or self._request != mine or self._closed:
                return
            self._cut_off()
            if self._children < _MOST_CHILDREN:
                self._play(sound)

    def silence(self) -> None:
        """Stop speaking now. A word that waits for its clip is dropped."""
        with self._changed:
            self._request += 1
            self._changed.notify_all()
            self._cut_off()

    def close(self) -> None:
        """Stop speaking for good. May be called twice."""
        self._closed = True
        self.silence()

    def _cut_off(self) -> None:
        child, self._child = self._child, None
        if child:
            child.kill()

    def _play(self, sound: _Sound) -> None:
        # A file in memory holds the whole sound: a pipe could fill up and block.
        memory = os.memfd_create("sound")
        try:
            with open(memory, "wb", closefd=False) as file:
                file.write(sound.wav)
            os.lseek(memory, 0, os.SEEK_SET)
            child = self._child = subprocess.Popen(
                self._command, stdin=memory, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
            )
        except OSError as error:
            self._complain_once(f"aplay cannot be started: {error.strerror}")
            return
        finally:
            os.close(memory)
        self._children += 1
        threading.Thread(
            target=self._attend, args=(child, sound.seconds + _GRACE_S), name="attend aplay", daemon=True
        ).start()

    def _make_ready(self) -> None:
        try:
            for word, spoken in self._prepare():
                # Sound sinks swallow the start of each stream, so the wake tone precedes the clip in the same stream.
                whole = clip.at_volume(clip.joined(wake(spoken.rate), spoken), self._volume)
                sound = _Sound(clip.wav(whole), whole.seconds)
                with self._changed:
                    self._sounds[word] = sound
                    self._changed.notify_all()
                if self._closed:
                    return
        except Exception as error:
            # Report any error: nothing above this thread would catch it.
            self._complain(f"phrases cannot be made ready: {error}")
        finally:
            with self._changed:
                self._all_ready = True
                self._changed.notify_all()

    def _attend(self, child: "subprocess.Popen[bytes]", deadline_s: float) -> None:
        """Wait for a child to end. Kill it at its deadline. Report a failure, unless it was stopped on purpose."""
        # Leaving `with` waits for the child again: one that hangs in the kernel survives the kill.
        with child:
            try:
                _, words = child.communicate(timeout=deadline_s)
                reason = words.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
                trouble = f"{self._device} cannot be played to: {reason[0]}" if child.returncode > 0 else ""
            except subprocess.TimeoutExpired:
                child.kill()
                trouble = f"sound device {self._device} hung: playback was stopped after {deadline_s:.1f} s"
            with self._changed:
                replaced = self._child is not child
                if not replaced:
                    self._child = None
            if trouble and not replaced:
                self._complain_once(trouble)
        with self._changed:
            self._children -= 1

    def _complain_once(self, sentence: str) -> None:
        if not self._complained:
            self._complained = True
            self._complain(sentence)
