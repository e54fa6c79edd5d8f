"""The command `cuelens`."""

import argparse
import os
import signal
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from cuelens_models import command
from cuelens_models.errors import CameraLost

if TYPE_CHECKING:
    from cuelens.commands.run import RunOptions

_OUTPUTS = ("light", "voice", "console")
_EXAMPLES = """\
examples:
  cuelens demo                              watch it work on a built-in scene; no hardware needed
  cuelens run --source v4l2:0               the first webcam
  cuelens run --source clip.mp4 --events -  what is seen in a video, as JSON lines
  cuelens demo --mode explore               a game: a light asks what a face shows, and the answer follows
  cuelens doctor                            is every part of these glasses well?
  cuelens story                             what the last day with the glasses was like
  cuelens try happy                         see and hear one cue of the running glasses
  cuelens calibrate                         set the running glasses up, from a phone
  cuelens profile check mine.json           can this profile be used, and what would nobody perceive?"""


def main() -> None:
    """Run the command line."""
    # Imports take a while on a small board. A stop meanwhile is no failure of the service: exit with 0.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    parser = command.parser(
        "cuelens", "See a face, read its expression, give a quiet cue. All on this device.", _EXAMPLES
    )
    # Silence OpenCV's warnings: our own errors say what matters. Must be set before its import.
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    _add_demo(commands)
    _add_run(commands)
    _add_doctor(commands)
    _add_bench(commands)
    _add_replay(commands)
    _add_story(commands)
    _add_press(commands)
    _add_try(commands)
    _add_profile(commands)
    _add_calibrate(commands)
    _add_access_point(commands)
    options = parser.parse_args()
    try:
        command.finish("cuelens", lambda: int(options.work(options)), debug=options.debug)
    except SystemExit as ending:
        if ending.code == CameraLost.exit_status:
            # A hanging camera also hangs the interpreter's exit. Skip it: systemd restarts the process.
            sys.stderr.flush()
            os._exit(CameraLost.exit_status)
        raise


def _add_run(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    run = commands.add_parser("run", help="run the glasses on a camera, a video, an image, a folder or the demo scene")
    run.add_argument(
        "--source",
        metavar="SRC",
        help="picamera2, v4l2:N (a webcam), a video, an image, a folder of images, demo (default: from the settings)",
    )
    _add_run_options(run)
    run.set_defaults(work=_run)


def _add_demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    demo = commands.add_parser("demo", help="run the glasses on a built-in scene, and draw the session as a picture")
    demo.add_argument(
        "-o", "--output", type=Path, default=Path("cuelens-demo.png"), metavar="PNG", help="(default: %(default)s)"
    )
    _add_run_options(demo)
    demo.set_defaults(work=_demo)


def _add_run_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", type=Path, metavar="FILE", help="settings of the hardware (TOML)")
    parser.add_argument("--profile", type=Path, metavar="FILE", help="profile of the wearer (JSON)")
    parser.add_argument(
        "--bundle", type=Path, metavar="FILE", help="the model (default: the one that ships with cuelens)"
    )
    parser.add_argument("--events", metavar="FILE", help="write every event as a JSON line; - is standard output")
    parser.add_argument(
        "--cues",
        type=_outputs,
        default=("console",),
        metavar="LIST",
        help="any of light,voice,console (default: console)",
    )
    parser.add_argument(
        "--mode",
        metavar="NAME",
        help="what the glasses do: companion, quiet, or a game such as explore or smile (default: the profile's)",
    )
    parser.add_argument(
        "--worn", action="store_true", help="keep sessions and their story, as with a camera: for trying them out"
    )
    parser.add_argument("--seconds", type=_seconds, metavar="N", help="end after so many seconds")
    parser.add_argument(
        "--as-fast", action="store_true", help="take every frame of a file in order, as fast as it goes"
    )


def _add_doctor(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    doctor = commands.add_parser("doctor", help="check every part for real: camera, model, light, voice, disk, clock")
    doctor.add_argument("--config", type=Path, metavar="FILE", help="settings of the hardware (TOML)")
    doctor.add_argument("--json", action="store_true", help="print JSON")
    doctor.set_defaults(work=_doctor)


def _add_bench(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    bench = commands.add_parser("bench", help="measure this board, and say what to set for it")
    bench.add_argument(
        "--bundle", type=Path, metavar="FILE", help="the model (default: the one that ships with cuelens)"
    )
    bench.add_argument(
        "--beside",
        type=Path,
        nargs="+",
        default=(),
        metavar="FILE",
        help="further bundles whose speed is compared, such as one of `convert-model --scheme float32`",
    )
    bench.add_argument("--json", action="store_true", help="print JSON, as docs/boards collects it")
    bench.set_defaults(work=_bench)


def _add_replay(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    replay = commands.add_parser("replay", help="what another profile would have made of a recording of events")
    replay.add_argument(
        "file", type=Path, metavar="FILE", help="JSON lines, as `cuelens run --events FILE` writes them"
    )
    replay.add_argument("--profile", type=Path, metavar="FILE", help="profile of the wearer (default: the factory's)")
    replay.add_argument(
        "--bundle", type=Path, metavar="FILE", help="the model whose thresholds hold (default: the shipped one)"
    )
    replay.set_defaults(work=_replay)


def _add_story(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    story = commands.add_parser("story", help="what the glasses told on a day; export or delete what is kept")
    which = story.add_mutually_exclusive_group()
    which.add_argument(
        "--day",
        type=_day,
        metavar="YYYY-MM-DD",
        help="the day to tell (default: that of the last session); unknown: when the clock was not set",
    )
    which.add_argument("--delete", action="store_true", help="delete everything that is kept, of all days, for good")
    story.add_argument("-o", "--output", type=Path, metavar="PNG", help="draw the day (needs the extra demo)")
    story.add_argument("--csv", type=Path, metavar="FILE", help="write everything that is kept as a table")
    story.add_argument("--config", type=Path, metavar="FILE", help="settings of the hardware (TOML)")
    story.set_defaults(work=_story)


def _add_press(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    press = commands.add_parser("press", help="press the button of the running glasses, without hardware")
    press.add_argument(
        "gesture",
        choices=("ask", "mute", "pause", "calibrate"),
        help="ask: what now? mute, pause: begin it, or end it. calibrate: begin the calibration",
    )
    press.add_argument("--config", type=Path, metavar="FILE", help="settings of the hardware (TOML)")
    press.set_defaults(work=_press)


def _add_try(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    trial = commands.add_parser("try", help="have the running glasses give one cue, to see and hear it")
    trial.add_argument(
        "word", metavar="WORD", help="an expression, or another word that they tell, such as face or unsure"
    )
    trial.add_argument("--config", type=Path, metavar="FILE", help="settings of the hardware (TOML)")
    trial.set_defaults(work=_try)


def _add_profile(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    profile = commands.add_parser("profile", help="show, check, reset, export or import the profile of the wearer")
    actions = profile.add_subparsers(dest="action", metavar="ACTION", required=True)
    for action, about in (
        ("show", "print what is in force, key by key, with a mark at what is the factory's"),
        ("check", "say what is wrong with a profile; status 1 if it cannot be used"),
        ("reset", "put the factory profile into force; the old one is kept beside it"),
        ("export", "write the profile to a file"),
        ("import", "put a profile into force, with its recordings, if it can be used; the old one is kept beside it"),
    ):
        parser = actions.add_parser(action, help=about)
        if action == "check":
            parser.add_argument("file", type=Path, nargs="?", metavar="FILE", help="(default: the profile in force)")
        elif action in ("export", "import"):
            standard = "standard output" if action == "export" else "standard input, from a file"
            parser.add_argument("file", type=Path, metavar="FILE", help=f"JSON; - is {standard}")
        parser.add_argument("--config", type=Path, metavar="FILE", help="settings of the hardware (TOML)")
        parser.set_defaults(work=_profile)


def _add_calibrate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    calibrate = commands.add_parser(
        "calibrate",
        help="set running glasses up for a child and a family, on a page for a phone or in the terminal",
        description="On the glasses the page is http://cuelens.local in their own network, and they blink its code."
        " Elsewhere it is served here, on localhost, and its code is printed. It ends after ten idle minutes.",
    )
    calibrate.add_argument("--terminal", action="store_true", help="the same steps as questions here, over SSH too")
    calibrate.add_argument("--port", type=int, default=8080, metavar="N", help="of the page here (%(default)s)")
    calibrate.add_argument("--config", type=Path, metavar="FILE", help="settings of the hardware (TOML)")
    calibrate.set_defaults(work=_calibrate)


def _add_access_point(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    network = commands.add_parser(
        "access-point",
        help="make the network of the caregiver's page, once, and its card with passphrase and QR codes",
        description="Writes a profile of NetworkManager with a passphrase of its own, which is never replaced, and on"
        " the memory card a text and two QR codes that tell it. Remove it for a new passphrase. It needs root.",
    )
    network.add_argument("--connections", type=Path, metavar="FOLDER", help="of NetworkManager's profiles")
    network.add_argument("--card", type=Path, metavar="FOLDER", help="for what a caregiver reads")
    network.set_defaults(work=_access_point)


def _day(text: str) -> str:
    try:
        return text if text == "unknown" else date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no day such as 2026-10-08") from error


def _outputs(text: str) -> tuple[str, ...]:
    names = tuple(text.split(","))
    if not set(names) <= set(_OUTPUTS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a list of {', '.join(_OUTPUTS)}")
    return names


def _seconds(text: str) -> float:
    with suppress(ValueError):
        if 0 <= (seconds := float(text)) < 1e7:
            return seconds
    raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")


def _run(options: argparse.Namespace) -> int:
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
