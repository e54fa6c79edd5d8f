"""Faults in what a start reads: settings, bundle, profile, and the installation itself."""

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cuelens import events
from cuelens.link.requests import Reload
from cuelens.profile import store
from cuelens_models.bundle.file import SHIPPED
from cuelens_models.errors import BadInput

pytestmark = pytest.mark.slow

WITHOUT = """
import sys

class Without:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {packages!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Without())
from cuelens.cli import main
main()
"""
REPLACING = """
import itertools, os, sys
file, *versions = sys.argv[1:]
for number, version in enumerate(itertools.cycle(versions)):
    with open(file + ".new", "w") as fresh:
        fresh.write(version)
    os.replace(file + ".new", file)
    if number == 0:
        print("begun", flush=True)
"""


@pytest.mark.parametrize("wrong", ["cut off", "another network's"])
def test_a_damaged_bundle_gives_way_to_the_shipped_one(
    worn: Callable[..., Any], fault_table: Any, tmp_path: Path, wrong: str
) -> None:
    bundle = tmp_path / "own.tflite"
    whole = SHIPPED.read_bytes()
    changed = whole.replace(b'"surprise"', b'"sadness!"')
    content = {"cut off": whole[: len(whole) // 2], "another network's": changed}
    glasses = worn()
    config = tmp_path / "home0" / "cuelens.toml"
    config.write_text(config.read_text().replace("[places]", f'[places]\nbundle = "{bundle}"'))
    lit = []
    for _ in range(2):
        bundle.write_bytes(content[wrong])
        began_s = glasses.start()
        glasses.lit(glasses.cue())
        lit.append(time.monotonic() - began_s)
        glasses.stop()
        assert list(glasses.faults()) == ["bundle damaged"]
        assert glasses.fault("bundle damaged").endswith("; the shipped one is used")
        assert bundle.read_bytes() == content[wrong]
        bundle.write_bytes(whole)
        glasses.start()
        glasses.stop()
        assert glasses.faults() == {}
    fault_table.row(
        "bundle of the settings damaged",
        injected=f"the settings name a bundle that is {wrong}",
        noticed="nothing",
        happens="the shipped bundle is used; a fault is reported",
        seconds={"until the light of a first cue, start included": lit},
        left="the bundle as it is",
        survived=2,
    )


@pytest.mark.parametrize("damaged", ['{"mode": "qui', '{"mode": "loud"}'])
def test_a_damaged_profile_gives_way_to_the_last_good_one(
    worn: Callable[..., Any], fault_table: Any, damaged: str
) -> None:
    good = '{"mode": "quiet"}'
    glasses = worn(profile=good)
    # As after a minute of beats.
    assert store.keep_good(glasses.state, store.active(glasses.state)) == ""
    lit = []
    for _ in range(2):
        glasses.profile_file.write_text(damaged)
        began_s = glasses.start()
        glasses.lit(glasses.cue())
        lit.append(time.monotonic() - began_s)
        glasses.wait(lambda: glasses.told(events.Mode))
        assert [event.mode for event in glasses.told(events.Mode)] == ["quiet"]
        assert glasses.fault("profile damaged").endswith("; the last good one is used")
        with pytest.raises(BadInput, match="the profile in force stays"):
            glasses.ask(Reload())
        assert glasses.profile_file.read_text() == damaged
        glasses.profile_file.write_text(good)
        glasses.ask(Reload())
        glasses.stop()
    # Without a good one, the factory's.
    shutil.rmtree(glasses.state / "good")
    glasses.profile_file.write_text(damaged)
    glasses.start()
    glasses.stop()
    assert glasses.fault("profile damaged").endswith("; the factory profile is used")
    fault_table.row(
        "profile damaged",
        injected=f"a profile that is {'no profile' if damaged.endswith('}') else 'cut off'}",
        noticed="nothing",
        happens="the last good profile is used, and the factory's where there is none; a fault is reported",
        seconds={"until the light of a first cue, start included": lit},
        left="the profile as it is",
        survived=2,
    )


def test_a_profile_that_is_replaced_while_it_is_read_is_never_a_mixture(
    worn: Callable[..., Any], fault_table: Any
) -> None:
    versions = ['{"mode": "quiet", "wearer": "A"}', '{"mode": "explore", "wearer": "B"}', '{"mode": "loud", "wea']
    glasses = worn(profile=versions[0])
    glasses.start()
    taken = []
    words = [sys.executable, "-c", REPLACING, str(glasses.profile_file), *versions]
    for _ in range(2):
        asked, taken_before, refused = 0, len(taken), 0
        with subprocess.Popen(words, stdout=subprocess.PIPE) as writer:
            assert writer.stdout
            assert writer.stdout.readline() == b"begun\n"
            end_s = time.monotonic() + 60
            # A machine may let the other process wait: then both kinds come later.
            while (asked < 40 or not 0 < refused < asked) and time.monotonic() < end_s:
                asked, asked_s = asked + 1, time.monotonic()
                try:
                    glasses.ask(Reload())
                    taken.append(time.monotonic() - asked_s)
                except BadInput as error:
                    refused += "the profile in force stays" in str(error)
            writer.kill()
        assert len(taken) - taken_before + refused == asked
        assert 0 < refused < asked
        for mode, version in (("quiet", versions[0]), ("explore", versions[1])):
            glasses.profile_file.write_text(version)
            glasses.ask(Reload())
            # Another thread writes the events, a moment after the answer.
            glasses.wait(lambda mode=mode: glasses.told(events.Mode)[-1].mode == mode)
        glasses.lit(glasses.cue())
    glasses.stop()
    good = glasses.state / "good" / "default.json"
    assert not good.exists() or good.read_text() in versions[:2]
    fault_table.row(
        "a profile is replaced while it is read",
        injected="another process renames one of three versions into its place, as fast as it can, during 40 reloads;"
        " one is damaged",
        noticed="the one profile or the other, never parts of both",
        happens="each reload takes one whole version, or refuses a damaged one and keeps what is in force",
        seconds={"of a reload": taken},
        left="the profile; the last good one is one of the versions that were good",
        survived=2,
    )


def test_settings_that_are_wrong_end_the_start_with_a_sentence(
    worn: Callable[..., Any], fault_table: Any, tmp_path: Path
) -> None:
    glasses = worn()
    config = tmp_path / "home0" / "cuelens.toml"
    whole = config.read_text()
    ended = []
    for wrong in ('[camera]\nsource = "v4l2:0"\nfps = 500\n', whole[:-9]):
        config.write_text(wrong)
        began_s = glasses.start(ready=False)
        status, said = glasses.ended()
        ended.append(time.monotonic() - began_s)
        assert status == 3
        (line,) = said.splitlines()
        assert line.startswith(f"cuelens: {config}: ")
        assert glasses.seen() == []
        assert not glasses.state.exists()
        config.write_text(whole)
        glasses.start()
        glasses.lit(glasses.cue())
        glasses.stop()
        shutil.rmtree(glasses.state)
    fault_table.row(
        "a start fails (bad settings, a missing package)",
        injected="settings with a camera of 500 frames a second, and settings that are cut off",
        noticed="the orange glimmer of the unit; no cue",
        happens="the start ends with 3 and one sentence, and systemd tries again, each time later",
        seconds={"until the end of the start": ended},
        left="nothing but the record of starts",
        survived=2,
    )


@pytest.mark.parametrize(
    "packages", [("ai_edge_litert", "tflite_runtime"), ("gpiozero",), ("cv2",), ("numpy",), ("msgspec",)]
)
def test_a_missing_package_ends_the_start_for_good(tmp_path: Path, fault_table: Any, packages: tuple[str, ...]) -> None:
    ended = []

    def start(**environment: str) -> subprocess.CompletedProcess[str]:
        began_s = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", WITHOUT.format(packages=packages), "run", "--cues", "light", "--seconds", "1"],
            capture_output=True,
            text=True,
            env={"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": ":".join(sys.path)} | environment,
            timeout=60,
            check=False,
        )
        ended.append(time.monotonic() - began_s)
        return done

    for _ in range(2):
        done = start(NOTIFY_SOCKET=str(tmp_path / "notify"))
        assert done.returncode == 69, done.stderr
        assert "Traceback" not in done.stderr
        assert "install" in done.stderr.splitlines()[-1]
        # Typed by hand, it is a missing package as for any other command.
        assert start().returncode == 3
    # Nothing but the record of starts, if the start came as far.
    assert {file.name for file in tmp_path.rglob("*") if file.is_file()} <= {"starts.json"}
    fault_table.row(
        "a start fails (bad settings, a missing package)",
        injected=f"{packages[0]} cannot be imported",
        noticed="the orange glimmer of the unit; no cue",
        happens="the start ends with 69 and a sentence that names the package, and systemd does not try again",
        seconds={"until the end of the start": ended},
        left="nothing",
        survived=2,
    )
