"""The health of running glasses in the text format of Prometheus (version 0.0.4 of its exposition formats)."""

from collections.abc import Mapping

from cuelens.health.words import STATES
from cuelens.link.replies import Health


def text(health: Health) -> str:
    """Return the metrics, a line each. What is not known is left out."""
    lines = [
        _info("cuelens_info", "What runs.", {"version": health.program, "bundle": health.title}),
        _of("cuelens_state", "gauge", "1 for the state of the run.", "state", _states(health.state)),
        _one("cuelens_up_seconds", "gauge", "Time since the start.", health.up_s),
        _one("cuelens_starts", "gauge", "Starts since the board was switched on.", health.starts),
        _one("cuelens_safe_mode", "gauge", "Parts that safe mode has taken back.", len(health.taken_back)),
        _one("cuelens_camera_fps", "gauge", "Frames a second, of late.", health.camera_fps),
        _one("cuelens_beat_fps", "gauge", "Beats a second, of late.", health.beat_fps),
        _one("cuelens_frames_total", "counter", "Frames received.", health.frames),
        _one("cuelens_beats_total", "counter", "Beats run.", health.beats),
        _one("cuelens_frames_dropped_total", "counter", "Frames overwritten, or no pictures.", health.dropped),
        _one("cuelens_frames_skipped_total", "counter", "Frames that were not due.", health.skipped),
        _one("cuelens_frame_age_p95_seconds", "gauge", "Exposure to end of beat.", _seconds(health.frame_age_ms_p95)),
        _of("cuelens_cues_total", "counter", "Cues given.", "kind", health.cues),
        _of("cuelens_faults_total", "counter", "Faults reported.", "fault", _faults(health)),
        _one("cuelens_temperature_celsius", "gauge", "Of the board.", health.temperature_c),
        _one("cuelens_under_voltage", "gauge", "1 if the supply is too weak.", health.under_voltage),
        _one("cuelens_resident_bytes", "gauge", "Resident memory.", health.memory_mb * 2**20),
    ]
    return "".join(lines)


def _states(state: str) -> dict[str, int]:
    return {name: int(name == state) for name in dict.fromkeys([*STATES, state])}


def _faults(health: Health) -> dict[str, int]:
    return {one.fault: one.times for one in health.faults}


def _seconds(milliseconds: float | None) -> float | None:
    return None if milliseconds is None else milliseconds / 1000


def _one(name: str, kind: str, about: str, value: float | None) -> str:
    return "" if value is None else f"{_head(name, kind, about)}{name} {float(value):.10g}\n"


def _of(name: str, kind: str, about: str, label: str, values: Mapping[str, float]) -> str:
    lines = [f'{name}{{{label}="{_quoted(key)}"}} {float(value):.10g}\n' for key, value in values.items()]
    return _head(name, kind, about) + "".join(lines) if lines else ""


def _info(name: str, about: str, labels: Mapping[str, str]) -> str:
    inside = ",".join(f'{label}="{_quoted(value)}"' for label, value in labels.items())
    return f"{_head(name, 'gauge', about)}{name}{{{inside}}} 1\n"


def _head(name: str, kind: str, about: str) -> str:
    return f"# HELP {name} {about}\n# TYPE {name} {kind}\n"


def _quoted(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
