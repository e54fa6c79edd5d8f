"""The arguments of the command `cuelens`, and of each of its commands."""

import argparse
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Final

from cuelens_models import command

_OUTPUTS = ("light", "voice", "console")
_RUN_ENDS = (
    "0 the source or the time is over, or somebody stopped it; 2 usage; 3 bad input, a missing package or device, an"
    " unwritable output; 69 a missing package, in the service; 70 the camera hangs, or a fault inside; 130 after Ctrl-C"
)
_ASKED_ENDS = "0 it was done; 2 usage; 3 the glasses refused, or none are running, with a sentence; 130 after Ctrl-C"
_ENDS = {
    "demo": _RUN_ENDS,
    "run": _RUN_ENDS,
    "doctor": "0 every part is well; 1 a part is not, or the settings have a mistake; 2 usage",
    "status": "0 they are well; 1 no camera, or a change was taken back; 2 usage; 3 no glasses are running",
    "press": _ASKED_ENDS,
    "try": _ASKED_ENDS,
}
_EXAMPLES = """\
examples:
  cuelens demo                              watch it work on a built-in scene; no hardware needed
  cuelens run --source v4l2:0               the first webcam
  cuelens run --source clip.mp4 --events -  what is seen in a video, as JSON lines
  cuelens demo --mode explore               a game: a light asks what a face shows, and the answer follows
  cuelens doctor                            is every part of these glasses well?
  cuelens status                            how are the running glasses?
  cuelens story                             what the last day with the glasses was like
  cuelens try happy                         see and hear one cue of the running glasses
  cuelens calibrate                         set the running glasses up, from a phone
  cuelens profile check mine.json           can this profile be used, and what would nobody perceive?"""


def parser(first: str = "") -> argparse.ArgumentParser:
    """Return the parser of the command line. What it reads has the name of the command as `command`.

    first: the first word that was typed. If it is a command, the parser knows no other: a start need not make them all.
    """
    parser = command.parser(
        "cuelens", "See a face, read its expression, give a quiet cue. All on this device.", _EXAMPLES
    )
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name in (first,) if first in _ADD else _ADD:
        _ADD[name](commands)
        if name in _ENDS:
            commands.choices[name].epilog = f"exit status: {_ENDS[name]}"
    return parser


def _add_run(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    run = commands.add_parser("run", help="run the glasses on a camera, a video, an image, a folder or the demo scene")
    run.add_argument(
        "--source",
        metavar="SRC",
        help="picamera2, v4l2:N (a webcam), a video, an image, a folder of images, demo (default: from the settings)",
    )
    _add_run_options(run)


def _add_demo(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    demo = commands.add_parser("demo", help="run the glasses on a built-in scene, and draw the session as a picture")
    demo.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="PNG",
        help="the picture to write (default: cuelens-demo.png; it needs the extra demo)",
    )
    _add_run_options(demo)


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


def _add_replay(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    replay = commands.add_parser("replay", help="what another profile would have made of a recording of events")
    replay.add_argument(
        "file", type=Path, metavar="FILE", help="JSON lines, as `cuelens run --events FILE` writes them"
    )
    replay.add_argument("--profile", type=Path, metavar="FILE", help="profile of the wearer (default: the factory's)")
    replay.add_argument(
        "--bundle", type=Path, metavar="FILE", help="the model whose thresholds hold (default: the shipped one)"
    )


def _add_status(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    status = commands.add_parser("status", help="how the running glasses are, in plain words; status 1 if in trouble")
    form = status.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json", default="text", help="print JSON")
    form.add_argument(
        "--metrics", dest="form", action="store_const", const="metrics", help="print what Prometheus reads"
    )
    status.add_argument("--config", type=Path, metavar="FILE", help="settings of the hardware (TOML)")


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


def _add_press(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    press = commands.add_parser("press", help="press the button of the running glasses, without hardware")
    press.add_argument(
        "gesture",
        choices=("ask", "mute", "pause", "calibrate"),
        help="ask: what now? mute, pause: begin it, or end it. calibrate: begin the calibration",
    )
    press.add_argument("--config", type=Path, metavar="FILE", help="settings of the hardware (TOML)")


def _add_try(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    trial = commands.add_parser("try", help="have the running glasses give one cue, to see and hear it")
    trial.add_argument(
        "word", metavar="WORD", help="an expression, or another word that they tell, such as face or unsure"
    )
    trial.add_argument("--config", type=Path, metavar="FILE", help="settings of the hardware (TOML)")


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
            parser.add_argument(
                "file", type=Path, nargs="?", metavar="FILE", help="JSON (default: the profile in force)"
            )
        elif action in ("export", "import"):
            standard = "standard output" if action == "export" else "standard input, from a file"
            parser.add_argument("file", type=Path, metavar="FILE", help=f"JSON; - is {standard}")
        parser.add_argument("--config", type=Path, metavar="FILE", help="settings of the hardware (TOML)")


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


def _add_access_point(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    network = commands.add_parser(
        "access-point",
        help="make the network of the caregiver's page, once, and its card with passphrase and QR codes",
        description="Writes a profile of NetworkManager with a passphrase of its own, which is never replaced, and on"
        " the memory card a text and two QR codes that tell it. Remove it for a new passphrase. It needs root.",
    )
    network.add_argument("--connections", type=Path, metavar="FOLDER", help="of NetworkManager's profiles")
    network.add_argument("--card", type=Path, metavar="FOLDER", help="for what a caregiver reads")


_CARD = """\
The part of the memory card that every computer can read holds cuelens.toml: the settings of the glasses
(docs/settings.md), and above them

  language = "de"    of the first profile; later it is chosen on the caregiver's page
  country = "DE"     in which the radio sends, two letters of ISO 3166

examples/card.toml is such a file with every key. A file that is new on the card is checked. If it has no mistake, it is
put in force, as cuelens.toml and country in /etc/cuelens. If it has any, all that was in force stays. Either way
cuelens-answer.txt on the card says what was taken, each mistake with its line, and what `doctor` found of the parts.
A file that was answered before is passed over.

Settings that somebody edited on the glasses hold until the card says something new, and are kept beside it then."""
_CARD_ENDS = """\
exit status: 0 nothing is new, or it is in force and all parts are well; 1 it is in force, and a part is not well;
2 usage; 3 it has mistakes and nothing was taken, or something cannot be written"""


def _add_card(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    card = commands.add_parser(
        "card",
        help="take the settings that a person wrote on the memory card, and answer there",
        description=_CARD,
        epilog=_CARD_ENDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = card.add_subparsers(dest="action", metavar="ACTION", required=True)
    take = actions.add_parser(
        "take",
        help="check what is new on the card, put it in force, and answer; it needs root",
        description=_CARD,
        epilog=_CARD_ENDS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    take.add_argument("--card", type=Path, metavar="FOLDER", help="of the card (default: /boot/firmware)")
    take.add_argument("--etc", type=Path, metavar="FOLDER", help="of the settings (default: /etc/cuelens)")
    take.add_argument(
        "--state", type=Path, metavar="FOLDER", help="of what was taken last (default: /var/lib/cuelens-card)"
    )
    take.add_argument("--unit", metavar="UNIT", help="of systemd that checks the parts (default: a child process)")
    check = actions.add_parser(
        "check",
        help="what the answer says of the parts: a line for each; status 1 if one fails",
        description="Makes the first profile with a language, if there is no profile, and checks every part as"
        " `cuelens doctor` does, but for the profile: it may name a child, and anybody may read the card.",
    )
    check.add_argument("--language", default="", metavar="CODE", help="of the first profile, such as de")
    check.add_argument("--config", type=Path, metavar="FILE", help="settings of the hardware (TOML)")


def _add_completion(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    completion = commands.add_parser(
        "completion",
        help="print what completes cuelens, train-model and the other commands in a shell",
        epilog='for this shell: eval "$(cuelens completion bash)"; for every one: that line in ~/.bashrc, or ~/.zshrc',
    )
    completion.add_argument("shell", choices=("bash", "zsh"), help="the shell that completes")


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


_ADD: Final[dict[str, Callable[["argparse._SubParsersAction[argparse.ArgumentParser]"], None]]] = {
    "demo": _add_demo,
    "run": _add_run,
    "doctor": _add_doctor,
    "bench": _add_bench,
    "replay": _add_replay,
    "status": _add_status,
    "story": _add_story,
    "press": _add_press,
    "try": _add_try,
    "profile": _add_profile,
    "calibrate": _add_calibrate,
    "access-point": _add_access_point,
    "card": _add_card,
    "completion": _add_completion,
}
