"""The command `cuelens`."""

import argparse
import gc
import os
import signal
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from cuelens import arguments
from cuelens.health.systemd import without_retry
from cuelens_models import command
from cuelens_models.errors import CameraLost

if TYPE_CHECKING:
    from cuelens.commands.run import RunOptions


def main() -> None:
    """Run the command line."""
    # Imports take a while on a small board. A stop meanwhile is no failure of the service: exit with 0.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # Silence OpenCV's warnings: our own errors say what matters. Must be set before its import.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    # The OpenBLAS of numpy, and that of OpenCV, would each begin a spinning thread a core. Nothing here needs them.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    options = arguments.parser("".join(sys.argv[1:2])).parse_args()
    try:
        command.finish("cuelens", lambda: _WORK[options.command](options), debug=options.debug)
    except SystemExit as ending:
        if ending.code == CameraLost.exit_status:
            # A hanging camera also hangs the interpreter's exit. Skip it: systemd restarts the process.
            sys.stderr.flush()
            os._exit(CameraLost.exit_status)
        raise


@without_retry()
def _run(options: argparse.Namespace) -> int:
    # Nearly all that a start makes stays. The loop turns it on again.
    gc.disable()
    # The import itself fails without a package that every installation has.
    from cuelens.commands.run import run

    return run(_options(options, options.source))


def _demo(options: argparse.Namespace) -> int:
    from cuelens.commands.demo import demo

    return demo(_options(options, "demo"), options.output)


def _options(options: argparse.Namespace, source: str | None) -> "RunOptions":
    from cuelens.commands.run import RunOptions

    names = ("config", "profile", "bundle", "events", "cues", "seconds", "as_fast", "mode", "worn")
    return RunOptions(source=source, **{name: getattr(options, name) for name in names})


def _doctor(options: argparse.Namespace) -> int:
    from cuelens.commands.doctor import doctor

    return doctor(options.config, as_json=options.json)


def _bench(options: argparse.Namespace) -> int:
    from cuelens.commands.bench import bench

    return bench(options.bundle, options.beside, as_json=options.json)


def _replay(options: argparse.Namespace) -> int:
    from cuelens.commands.replay import replay

    return replay(options.file, options.profile, options.bundle)


def _status(options: argparse.Namespace) -> int:
    from cuelens.commands.status import status

    return status(options.config, options.form)


def _story(options: argparse.Namespace) -> int:
    from cuelens.commands.story import Question, story

    return story(Question(options.config, options.day, options.output, options.csv, options.delete))


def _press(options: argparse.Namespace) -> int:
    from cuelens.commands.press import press

    return press(options.gesture, options.config)


def _try(options: argparse.Namespace) -> int:
    from cuelens.commands.try_cue import try_cue

    return try_cue(options.word, options.config)


def _calibrate(options: argparse.Namespace) -> int:
    from cuelens.commands.calibrate import calibrate

    return calibrate(options.config, terminal=options.terminal, port=options.port)


def _profile(options: argparse.Namespace) -> int:
    from cuelens.commands import profile

    match options.action:
        case "show":
            return profile.show(options.config)
        case "check":
            return profile.check(options.file, options.config)
        case "reset":
            return profile.reset(options.config)
        case "export":
            return profile.export(options.file, options.config)
    return profile.import_(options.file, options.config)


def _access_point(options: argparse.Namespace) -> int:
    from cuelens.commands.access_point import CARD, CONNECTIONS, access_point

    return access_point(options.connections or CONNECTIONS, options.card or CARD)


def _card(options: argparse.Namespace) -> int:
    from cuelens.commands import card, card_parts

    if options.action == "check":
        return card_parts.check(options.language, options.config)
    usual = card.Places()
    places = card.Places(options.card or usual.card, options.etc or usual.etc, options.state or usual.state)
    if unit := options.unit:
        return card.take(places, lambda language: card_parts.by_unit(language, unit))
    return card.take(places, lambda language: card_parts.by_child(language, places.etc / "cuelens.toml"))


def _completion(options: argparse.Namespace) -> int:
    from cuelens.commands.completion import completion

    return completion(options.shell)


_WORK: Final[dict[str, Callable[[argparse.Namespace], int]]] = {
    "demo": _demo,
    "run": _run,
    "doctor": _doctor,
    "bench": _bench,
    "replay": _replay,
    "status": _status,
    "story": _story,
    "press": _press,
    "try": _try,
    "profile": _profile,
    "calibrate": _calibrate,
    "access-point": _access_point,
    "card": _card,
    "completion": _completion,
}
