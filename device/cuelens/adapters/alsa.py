"""Playing clips through ALSA: one `aplay` child a clip, which can be cut off, and is killed at its deadline.

A system service has no PulseAudio or PipeWire, so the card is spoken to directly. A hung card hangs the child only.
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
"""How much longer than the clip a child may live: opening a card takes up to a second."""
_MOST_CHILDREN: Final = 8
"""Children that do not die when killed hang in the kernel, each with a thread that waits for its end."""


@dataclass(frozen=True, slots=True)
class _Sound:
    """A clip as a child reads it. wav: the wake tone and the clip, at their volume. seconds: of both."""

    wav: bytes
    seconds: float


class AlsaVoice:
    """Says words from clips made ready beforehand. Safe from any thread."""

    def __init__(
        self,
        prepare: Callable[[], Iterable[tuple[str, Clip]]],
        device: str,
        volume: float,
        complain: Callable[[str], None],
    ) -> None:
        """Begin to make the clips ready, on a thread of its own; each can be said as soon as it is there.

        prepare: yields words and their clips. device: an ALSA name. volume: 0 to 1. complain: told in a sentence, once
        of the card and once of the clips, if something cannot be heard. Raises AbsentDevice without aplay.
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
        self._asked = 0
        self._changed = threading.Condition()
        self._child: subprocess.Popen[bytes] | None = None
        self._children = 0
        threading.Thread(target=self._make_ready, name="render phrases", daemon=True).start()

    def say(self, word: str) -> None:
        """Begin a word in place of whatever was being said; one that is not ready within half a second is dropped."""
        with self._changed:
            self._asked += 1
            mine = self._asked
            self._changed.wait_for(lambda: self._all_ready or self._asked != mine or word in self._sounds, _PATIENCE_S)
            sound = self._sounds.get(word)
            if sound is None or self._asked != mine or self._closed:
                return
            self._cut_off()
            if self._children < _MOST_CHILDREN:
                self._play(sound)

    def silence(self) -> None:
        """Stop speaking now. What waits to be ready is dropped."""
        with self._changed:
            self._asked += 1
            self._changed.notify_all()
            self._cut_off()

    def close(self) -> None:
        """Stop speaking, for good. May be called twice."""
        self._closed = True
        self.silence()

    def _cut_off(self) -> None:
        child, self._child = self._child, None
        if child:
            child.kill()

    def _play(self, sound: _Sound) -> None:
        # The sound lies in memory, whole: no pipe that could fill up and block.
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
            for word, said in self._prepare():
                # Sinks swallow the beginning of a stream: the wake tone is in the same one.
                whole = clip.at_volume(clip.joined(wake(said.rate), said), self._volume)
                sound = _Sound(clip.wav(whole), whole.seconds)
                with self._changed:
                    self._sounds[word] = sound
                    self._changed.notify_all()
                if self._closed:
                    return
        except Exception as error:
            # Whatever it is, it must be told: this thread has nobody above it.
            self._complain(f"phrases cannot be made ready: {error}")
        finally:
            with self._changed:
                self._all_ready = True
                self._changed.notify_all()

    def _attend(self, child: "subprocess.Popen[bytes]", deadline_s: float) -> None:
        """Wait for a child's end, kill it at its deadline, and say what went wrong unless it was cut off."""
        # Leaving `with` waits for it again: one that hangs in the kernel outlives its killing.
        with child:
            try:
                _, words = child.communicate(timeout=deadline_s)
                reason = words.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
                trouble = f"{self._device} cannot be played to: {reason[0]}" if child.returncode > 0 else ""
            except subprocess.TimeoutExpired:
                child.kill()
                trouble = f"sound device {self._device} hung: playback was stopped after {deadline_s:.1f} s"
            with self._changed:
                cut_off = self._child is not child
                if not cut_off:
                    self._child = None
            if trouble and not cut_off:
                self._complain_once(trouble)
        with self._changed:
            self._children -= 1

    def _complain_once(self, sentence: str) -> None:
        if not self._complained:
            self._complained = True
            self._complain(sentence)
