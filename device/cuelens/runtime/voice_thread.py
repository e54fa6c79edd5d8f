"""Runs the voice on its own thread, behind a one-place mailbox."""

import threading
from collections.abc import Callable

from cuelens.mailbox import Latest
from cuelens.ports import Voice
from cuelens.runtime.output_thread import CLOSE_S, TURN_S, FirstFault


class VoiceThread:
    """Says the latest word. If `hush` comes while a word is starting, that word is cut off."""

    def __init__(self, voice: Voice, fault: Callable[[str, str], None]) -> None:
        self._voice = voice
        self._fault = FirstFault("voice", fault)
        self._mailbox: Latest[str] = Latest()
        self._hushed = False
        self._thread = threading.Thread(target=self._run, name="voice", daemon=True)
        self._thread.start()

    def say(self, word: str) -> None:
        """Say a word; it overwrites one that still waits. Returns at once."""
        self._mailbox.put(word)

    def hush(self, *, on: bool) -> None:
        """on: cut off speech and drop all words. Not on: speak again."""
        self._hushed = on
        if on:
            with self._fault:
                self._voice.silence()

    def stop(self) -> None:
        """Accept no more words. Returns at once."""
        self._hushed = True
        self._mailbox.close()

    def close(self) -> None:
        """Wait for the thread, with a deadline, and close the voice."""
        self._thread.join(CLOSE_S)
        self._voice.close()

    def _run(self) -> None:
        while True:
            try:
                word = self._mailbox.take(TURN_S)
            except TimeoutError:
                continue
            except EOFError:
                return
            with self._fault:
                if not self._hushed:
                    self._voice.say(word)
                if self._hushed:
                    self._voice.silence()
