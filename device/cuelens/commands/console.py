"""Console output: a line for each event, and at a terminal a live line below."""

import sys
import time
from collections import deque
from pathlib import Path
from typing import Final, TextIO

from cuelens import events
from cuelens.cues.modes import mode
from cuelens.frame import Frame
from cuelens.health import words
from cuelens.profile.wording import looks
from cuelens.runtime.pipeline import Decision
from cuelens_models.bundle.expressions import UNSURE
from cuelens_models.command import journal_level
from cuelens_models.errors import BadInput

STANDARD: Final = Path("-")
"""Standard input or output instead of a file: only a text goes there."""
_INFORMATION: Final = 6
"""Level of syslog(3) for all that is no fault."""
_REFRESH_S = 0.1
_CUE_S = 3.0
_RATE_WINDOW = 16
"""Window of the beat rate on the live line, in beats: the last second."""
_JOURNALLED: Final = (events.Start, events.Mode, events.Fault, events.State)
"""Events that systemd's journal may hold. It stays on the memory card, and neither 30 days nor "delete" end it: so it
holds how the glasses are, resting and paused among it, and nothing of who was seen, of cues, or of other presses."""


class Console:
    """A reader of the event stream. Without a terminal it prints plain lines; in the journal none of people."""

    def __init__(self, output: TextIO, *, cues: bool) -> None:
        """cues: whether the console is one of the outputs, and prints cues."""
        self._output = output
        self._cues = cues
        self._live = output.isatty()
        self._is_journal = bool(journal_level(output, _INFORMATION))
        self._cue = ""
        self._cue_t = 0.0
        self._refresh_s = 0.0
        self._beats_s: deque[float] = deque(maxlen=_RATE_WINDOW)

    def __call__(self, event: events.Event) -> None:
        """Print the line of an event, if it has one."""
        if self._is_journal and not isinstance(event, _JOURNALLED):
            return
        line = self._line(event)
        if line:
            level = words.level(event.fault) if isinstance(event, events.Fault) else _INFORMATION
            before = "\r\x1b[K" if self._live else journal_level(self._output, level)
            print(f"{before}{line}", file=self._output, flush=True)

    def watch(self, frame: Frame, decision: Decision) -> None:
        """Refresh the live line: time, face, expression, cue, beats a second."""
        now = time.monotonic()
        self._beats_s.append(now)
        if not self._live or now - self._refresh_s < _REFRESH_S:
            return
        self._refresh_s = now
        if decision.faces:
            nearest = max(decision.faces, key=lambda face: face.box[2])
            word = decision.words[nearest.track]
            bar = f"[{'#' * round(10 * decision.beliefs[nearest.track].confidence):<10}]" if word != UNSURE else ""
            face = f"face {nearest.track}  {looks(word):<15} {bar:<12}"
        else:
            face = f"{'no face' if decision.state == 'running' else decision.state:<37}"
        cue = self._cue if decision.t - self._cue_t < _CUE_S else ""
        span_s = now - self._beats_s[0]
        fps = (len(self._beats_s) - 1) / span_s if span_s > 0 else 0.0
        line = f"{decision.t:6.1f} s  {face}  {'cue: ' + cue if cue else '':<20}  {fps:.0f} fps"
        print(f"\r\x1b[K{line}", end="", file=self._output, flush=True)

    def close(self) -> None:
        """Clear the live line."""
        if self._live:
            print("\r\x1b[K", end="", file=self._output, flush=True)

    def _line(self, event: events.Event) -> str:
        match event:
            case events.Start():
                return f"source {event.source}, model {event.bundle}"
            case events.FaceSeen():
                return f"{event.t:6.2f} s  face {event.track} found"
            case events.FaceLost():
                return f"{event.t:6.2f} s  face {event.track} lost"
            case events.Expression(expression="unsure"):
                return f"{event.t:6.2f} s  face {event.track} not sure"
            case events.Expression():
                return f"{event.t:6.2f} s  face {event.track} {looks(event.expression)} ({event.confidence:.2f})"
            case events.CueGiven():
                self._cue, self._cue_t = looks(event.word), event.t
                outputs = " + ".join(event.outputs)
                return (
                    f"{event.t:6.2f} s  * cue: {self._cue} ({outputs}), after {event.latency_ms:.1f} ms"
                    if self._cues
                    else ""
                )
            case events.Fault():
                return f"{event.t:6.2f} s  ! {event.fault}: {event.detail}"
            case events.State():
                rate = f"{event.camera_fps:.1f} fps in, {event.beat_fps:.1f} beats/s, {event.dropped} dropped"
                return f"{event.t:6.2f} s  {event.state}, {rate}" if not self._live or event.state != "running" else ""
        return _wearers_line(event)


def _wearers_line(event: events.Event) -> str:
    """Return the line of a mode, a session, or an act of the wearer; "" for other events."""
    match event:
        case events.Mode():
            return f"mode {event.mode}: {mode(event.mode).about}"
        case events.Session():
            return f"{event.t:6.2f} s  session {event.state}{f', {event.why}' if event.why else ''}"
        case events.Calibration():
            return f"{event.t:6.2f} s  calibration {'began' if event.on else 'ended'}"
        case events.Press():
            return f"{event.t:6.2f} s  button: {event.gesture}"
        case events.Mute():
            return f"{event.t:6.2f} s  {'muted' if event.on else 'no longer muted'}"
        case events.Pause():
            return f"{event.t:6.2f} s  {'camera off' if event.on else 'camera on again'}"
    return ""


def refuse_standard(picture: Path | None) -> None:
    """Raise BadInput if a picture would go to standard output."""
    if picture == STANDARD:
        raise BadInput("a picture does not go to standard output: give the name of a file, such as -o day.png")


def for_events(events_path: str | None) -> TextIO:
    """Return the stream that a console prints to: standard error if the events go to standard output."""
    return sys.stderr if events_path == "-" else sys.stdout
