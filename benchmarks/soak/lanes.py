"""What happens to the glasses, in three lanes at once: the wearer, the caregiver, and what goes wrong."""

import random
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from benchmarks.soak.glasses import PROFILE, Worn, await_
from benchmarks.soak.visit import Visits

from cuelens.link import messages, requests
from cuelens.link.replies import Done

STALLS_APART_S: Final = 65.0
"""A second stall within a minute ends the process, by design."""
CHILDREN_S: Final = 30.0
CALM_S: Final = 60.0
"""Longer than a calibration lasts that nobody ends."""
PRESSES: Final = ("ask", "ask", "ask", "pause", "mute", "calibrate")
SENT: Final = tuple(
    messages.encode(one)
    for one in (requests.Hello(), requests.Press(gesture="ask"), requests.Watch(since=3), requests.Try(word="happy"))
)
"""Messages that fuzzing begins with."""
SPOKEN: Final = (
    PROFILE.replace("earcons", "words"),
    PROFILE.replace("earcons", "words").replace("{", '{"school": true, ', 1),
)
"""Profiles with phrases, of which the words differ."""
OTHERS: Final = (
    SPOKEN[0],
    PROFILE.replace('"earcons"', '"earcons", "volume_percent": 20'),
    PROFILE.replace("{", '{"mode": "explore", ', 1),
    PROFILE.replace("{", '{"school": true, ', 1),
    PROFILE.replace('"on": true', '"on": false'),
)
"""Profiles that are changed to."""
BROKEN: Final = ("", "{", '{"sound": 7}', '{"language": "xx"}', "\0" * 512, PROFILE[:40])


class Day:
    """The lanes. Each happening is one method that takes a few seconds at most.

    Attributes:
        worn: the glasses.
        counts: how often each thing happened.
        visits: of a phone to the page.
    """

    def __init__(self, worn: Worn, seed: int, *, disk_may_fill: bool) -> None:
        """Begin. disk_may_fill: the state folder is a small disk of its own."""
        self.worn = worn
        self.counts: Counter[str] = Counter()
        self.visits = Visits(worn)
        self._random = random.Random(seed)  # noqa: S311 - chance, no secret
        self._stalled_s = -STALLS_APART_S
        self._faults = [self.stall, self.odd, self.dark, self.away, self.mute_card, self.hung_card, self.broken]
        if disk_may_fill:
            self._faults.append(self.full)

    def lanes(self) -> tuple[list[Callable[[], None]], ...]:
        """Return what may happen in each lane; a lane draws from its list."""
        wearer = [self.press, self.press, self.press_by_command]
        caregiver = [self.visit, self.visit, self.other_profile, self.reload, self.fuzz, self.fuzz, self.hold_open]
        return wearer, [*caregiver, self.dies_unseen], self._faults

    def go_on(self, lane: list[Callable[[], None]], end_s: float) -> None:
        """Let things of a lane happen until a time of `time.monotonic`."""
        while time.monotonic() < end_s:
            happening = self._random.choice(lane)
            self.counts[happening.__name__.replace("_", " ")] += 1
            happening()
            time.sleep(self._random.uniform(0.2, 1.5))

    def mend(self) -> None:
        """Repair everything, and have the usual profile in force, with nobody mute, paused or resting."""
        worn = self.worn
        worn.wrong(camera="", sound="")
        (worn.state / "filled").unlink(missing_ok=True)
        (worn.state / "profiles" / ".draft.json").unlink(missing_ok=True)

        def calm() -> bool:
            glasses = worn.watch()
            if glasses is None:
                return False
            if glasses.calibrating:
                worn.ask(requests.Leave())
            for on, gesture in (
                (glasses.muted, "mute"),
                (glasses.paused, "pause"),
                (glasses.state == "resting", "ask"),
            ):
                if on:
                    worn.ask(requests.Press(gesture=gesture))
            worn.write_profile(PROFILE)
            usual = isinstance(worn.ask(requests.Reload()), Done)
            return usual and glasses.state == "running" and not glasses.calibrating and not glasses.muted

        await_(calm, CALM_S, lambda: f"the glasses do not calm down: {worn.watch()}; {worn.refused}")

    # The wearer.

    def press(self) -> None:
        """Press, pause, mute, or begin a calibration."""
        self.worn.ask(requests.Press(gesture=self._random.choice(PRESSES)))

    def press_by_command(self) -> None:
        """Press with a process of its own."""
        self._command("press", "ask")

    # The caregiver.

    def visit(self) -> None:
        """Set the glasses up from a phone, and save it or drop it."""
        self.visits.go(self._random)

    def dies_unseen(self) -> None:
        """Set them up and be killed: a draft stays, and the calibration ends by itself, or is ended."""
        self.visits.go(self._random, dies=True)

    def other_profile(self) -> None:
        """Change the profile, and have it read by SIGHUP."""
        self.worn.write_profile(self._random.choice(OTHERS))
        self.worn.hang_up()

    def reload(self) -> None:
        """Have the profile read by the link."""
        self.worn.ask(requests.Reload())

    def fuzz(self) -> None:
        """Send messages that are none."""
        for _ in range(20):
            line = bytearray(self._random.choice(SENT))
            for _ in range(self._random.randrange(1, 6)):
                line[self._random.randrange(len(line) - 1)] = self._random.randrange(256)
            with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(3.0)
                connection.connect(str(self.worn.link))
                connection.sendall(line)
                connection.recv(1 << 16)

    def hold_open(self) -> None:
        """Connect more often than there are threads, say half a word, and go."""
        held = []
        for _ in range(6):
            with suppress(OSError):
                connection = socket.socket(socket.AF_UNIX)
                held.append(connection)
                connection.settimeout(0.2)
                connection.connect(str(self.worn.link))
                connection.sendall(b'{"message"')
        time.sleep(1.0)
        for connection in held:
            connection.close()

    # What goes wrong.

    def stall(self) -> None:
        """Have the camera give no frame in time, if the last such time was long ago."""
        if time.monotonic() - self._stalled_s > STALLS_APART_S:
            self._stalled_s = time.monotonic()
            self._camera("stall", 3.0)

    def odd(self) -> None:
        """Have the camera give frames that are no pictures."""
        self._camera("odd", 1.0)

    def dark(self) -> None:
        """Cover the camera."""
        self._camera("dark", 3.0)

    def away(self) -> None:
        """Unplug the camera."""
        self._camera("absent", 1.0)

    def mute_card(self) -> None:
        """Have aplay fail."""
        self._sound("fail")

    def hung_card(self) -> None:
        """Have aplay hang."""
        self._sound("hang")

    def broken(self) -> None:
        """Damage the profile, have it read, and mend it."""
        self.worn.write_profile(self._random.choice(BROKEN))
        self.worn.hang_up()
        time.sleep(1.0)
        self.worn.write_profile(PROFILE)
        self.worn.hang_up()

    def full(self) -> None:
        """Fill the disk of the state folder, and free it."""
        full = self.worn.state / "filled"
        with suppress(OSError), full.open("wb", buffering=0) as file:
            for size in (1 << 20, 1 << 12, 1):
                with suppress(OSError):
                    while file.write(bytes(size)) == size:
                        pass
        time.sleep(3.0)
        full.unlink(missing_ok=True)

    def _camera(self, trouble: str, seconds: float) -> None:
        self.worn.wrong(camera=trouble)
        time.sleep(seconds)
        self.worn.wrong(camera="")

    def _sound(self, trouble: str) -> None:
        self.worn.wrong(sound=trouble)
        self.worn.ask(requests.Try(word="happy"))
        time.sleep(2.0)
        self.worn.wrong(sound="")

    def _command(self, *words: str) -> None:
        command = [sys.executable, "-m", "cuelens", *words, "--config", str(self.worn.folder / "cuelens.toml")]
        subprocess.run(command, env=self.worn.environment(), capture_output=True, timeout=CHILDREN_S, check=False)
