"""Playing clips through ALSA: one `aplay` child a clip, which can be cut off, and is killed at its deadline.

A system service has no PulseAudio or PipeWire, so the card is spoken to directly. A hung card hangs the child only.
"""

import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Mapping
from typing import Final

from cuelens import clip
from cuelens.clip import Clip
from cuelens_models.errors import AbsentDevice

_PATIENCE_S: Final = 1.0
_GRACE_S: Final = 2.0
"""How much longer than the clip a child may live: opening a card takes up to a second."""


class AlsaVoice:
    """Says phrases from clips made ready beforehand."""

    def __init__(
        self, prepare: Callable[[], Mapping[str, Clip]], device: str, volume: float, complain: Callable[[str], None]
    ) -> None:
        """Begin to make the clips ready, on a thread of its own.

        prepare: returns a clip for each phrase. device: an ALSA name. volume: 0 to 1. complain: told once, in a
        sentence, if nothing can be heard. Raises AbsentDevice without aplay.
        """
        if shutil.which("aplay") is None:
            raise AbsentDevice("aplay is not installed: run `sudo apt install alsa-utils`")
        self._prepare = prepare
        self._device = device
        self._volume = volume
        self._complain = complain
        self._complained = False
        self._closed = False
        self._clips: Mapping[str, Clip] = {}
        self._ready = threading.Event()
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        threading.Thread(target=self._make_ready, name="render phrases", daemon=True).start()

    def say(self, phrase: str) -> None:
        """Begin a phrase in place of whatever was being said; one that is not ready within a second is dropped."""
        self._ready.wait(_PATIENCE_S)
        sound = self._clips.get(phrase)
        if sound is None:
            return
        self.silence()
        # The clip lies in memory, whole: no pipe that could fill up and block.
        memory = os.memfd_create("phrase")
        try:
            with open(memory, "wb", closefd=False) as file:
                file.write(clip.wav(sound))
            os.lseek(memory, 0, os.SEEK_SET)
            with self._lock:
                if self._closed:
                    return
                child = self._child = subprocess.Popen(
                    ["aplay", "-q", "-D", self._device, "-"],
                    stdin=memory,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                )
        except OSError as error:
            self._complain_once(f"aplay cannot be started: {error.strerror}")
            return
        finally:
            os.close(memory)
        threading.Thread(
            target=self._attend, args=(child, sound.seconds + _GRACE_S), name="attend aplay", daemon=True
        ).start()

    def silence(self) -> None:
        """Stop speaking now."""
        with self._lock:
            child, self._child = self._child, None
        if child:
            child.kill()

    def close(self) -> None:
        """Stop speaking, for good. May be called twice."""
        with self._lock:
            self._closed = True
        self.silence()

    def _make_ready(self) -> None:
        try:
            clips = self._prepare()
            self._clips = {phrase: clip.at_volume(sound, self._volume) for phrase, sound in clips.items()}
        except Exception as error:
            # Whatever it is, it must be told: this thread has nobody above it.
            self._complain_once(f"phrases cannot be made ready: {error}")
        finally:
            self._ready.set()

    def _attend(self, child: "subprocess.Popen[bytes]", deadline_s: float) -> None:
        """Wait for a child's end, kill it at its deadline, and say what went wrong unless it was cut off."""
        try:
            _, words = child.communicate(timeout=deadline_s)
            reason = words.decode(errors="replace").strip().splitlines()[-1:] or ["no reason given"]
            trouble = f"{self._device} cannot be played to: {reason[0]}" if child.returncode > 0 else ""
        except subprocess.TimeoutExpired:
            child.kill()
            child.communicate()
            trouble = f"sound device {self._device} hung: playback was stopped after {deadline_s:.1f} s"
        with self._lock:
            cut_off = self._child is not child
            if not cut_off:
                self._child = None
        if trouble and not cut_off:
            self._complain_once(trouble)

    def _complain_once(self, sentence: str) -> None:
        if not self._complained:
            self._complained = True
            self._complain(sentence)
