"""Endurance: many days of the glasses at once, and whether anything has grown at the end.

    python -m benchmarks.soak --minutes 22 [--seed 1] [--faster 2] [--json FILE]    # needs the extras demo and web
    python -m benchmarks.soak --hours 8       # the same, for longer
    python -m benchmarks.soak --seconds 45    # the same, so short that memory is printed and not judged

Real are the glasses (`cuelens run`, worn, with all their files), the page, the phone's requests and the commands. The
camera, the button and the sound card are played. Three lanes go on at once for a round of 15 s: the wearer presses,
pauses and mutes; the caregiver visits the page from a phone, changes the profile, sends SIGHUP, and sends the link what
is no message; the camera stalls, goes away or sends no picture, aplay fails or hangs, the profile is damaged, and the
disk of the state folder is full (as root). Then all is mended. The process is measured while nothing happens, and three
presses must be answered.

A minute of this is what a household does in a day or two: five visits to the page, thirty presses, ten faults. People
come and go --faster times as fast as in life, so an hour at the usual 2 has the beats of two hours.

In the first sixth of the time the glasses are killed (-9) amid it all, again and again, and a camera that stalls twice
ends them with status 70. The rest is one life. In its first 4096 beats what is used first is loaded; of what follows,
the first tenth is compared with the last. Memory is judged by what is in no file, for that can run out: pages of
libraries come back as they are used, and the kernel takes them again at any time. The story is full from the beginning,
so that it has no cause to grow. Exit status 1 if a figure is over its bar.
"""

import argparse
import dataclasses
import random
import shutil
import sys
import tempfile
import threading
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from benchmarks import scenes
from benchmarks.soak import verdict
from benchmarks.soak.glasses import Figures, Worn, await_, figures, small_disk
from benchmarks.soak.lanes import SPOKEN, Day
from benchmarks.soak.verdict import Calm, Line

from cuelens.link import requests
from cuelens.link.replies import Glasses as Watched
from cuelens.story import store
from cuelens_models import command

ROUND_S: Final = 15.0
KILLS_SHARE: Final = 1 / 6
CALM_S: Final = 3.0
"""How long the glasses are watched at rest: what takes least then is what they hold."""
ASKS: Final = 3
ASK_S: Final = 5.0
RENDERED_S: Final = 5.0
"""A phrase is rendered in less."""
STALLED_S: Final = 60.0
SAY_S: Final = 60.0
PEOPLE: Final = 3


class Soak:
    """A whole run of it. calms: the moments of the one long life in which nothing happened."""

    def __init__(self, folder: Path, options: argparse.Namespace, *, disk_may_fill: bool) -> None:
        self.worn = Worn(folder, options.faster)
        self.day = Day(self.worn, options.seed, disk_may_fill=disk_may_fill)
        self.calms: list[Calm] = []
        self.asked = 0
        self.answered = 0
        self._chance = random.Random(options.seed)  # noqa: S311 - chance, no secret
        self._length_s = options.length_s
        self._round_s = min(ROUND_S, options.length_s / 6)

    def run(self) -> None:
        """Kill them for a while, then let them live."""
        began_s = time.monotonic()
        self.worn.start()
        # One round at least, however long the start took.
        while (rest_s := began_s + self._length_s * KILLS_SHARE - time.monotonic()) > 0 or not self.worn.ends["killed"]:
            self._round(self._chance.uniform(1.0, min(self._round_s, max(rest_s, 0.0) + 1.0)), kills=True)
        self._stall_twice()
        self._warm()
        self.day.mend()
        born_s = said_s = time.monotonic()
        while time.monotonic() < began_s + self._length_s or len(self.calms) < 2:
            self._round(self._round_s)
            self._rest(born_s)
            if time.monotonic() - said_s > SAY_S:
                said_s = time.monotonic()
                print(self._progress(said_s - began_s), file=sys.stderr)

    def _round(self, seconds: float, *, kills: bool = False) -> None:
        """Let all lanes go on, then mend everything. kills: the glasses are killed before the lanes end."""
        end_s = time.monotonic() + seconds
        lanes = [threading.Thread(target=self.day.go_on, args=(lane, end_s)) for lane in self.day.lanes()]
        for lane in lanes:
            lane.start()
        if kills:
            time.sleep(seconds)
            self.worn.kill()
        for lane in lanes:
            lane.join()
        if kills:
            self.worn.start()
        assert not self.worn.keep_up(), (
            f"the glasses have ended by themselves: {dict(self.worn.ends)}, {self.worn.said()}"
        )
        self.day.mend()

    def _stall_twice(self) -> None:
        """Have the camera stall twice within a minute: only a new process helps then."""
        life = self.worn.pid
        self.worn.wrong(camera="stall")
        await_(self.worn.keep_up, STALLED_S, lambda: "a camera that stalled twice has ended nothing")
        self.worn.wrong(camera="")
        assert self.worn.pid != life

    def _warm(self) -> None:
        """Do what is done once: SQLite keeps a reader's descriptor, and the phrases are rendered and kept."""
        for request in (requests.Calibrate(), requests.ReadStory()):
            self.worn.ask(request)
        if self._length_s < verdict.TELLING_S or not shutil.which("espeak-ng"):
            return
        self.day.mend()
        for profile in SPOKEN:
            self.worn.write_profile(profile)
            self.worn.ask(requests.Reload())
            known = -1
            while known < (known := len(list((self.worn.state / "phrases").glob("*.wav")))):
                time.sleep(RENDERED_S)

    def _rest(self, born_s: float) -> None:
        """Note what the glasses take while nothing happens, and whether they answer."""
        for _ in range(ASKS):
            self._ask()
        end_s = time.monotonic() + CALM_S
        took = [figures(self.worn.pid)]
        while time.monotonic() < end_s:
            time.sleep(0.2)
            took.append(figures(self.worn.pid))
        # Threads and descriptors of what has just happened are going: the fewest are those that stay.
        least = (min(getattr(one, name) for one in took) for name in Figures.__dataclass_fields__)
        beats = len(self.worn.ages_ms(self.worn.pid))
        self.calms.append(Calm(time.monotonic() - born_s, beats, Figures(*least), self.worn.state_kb()))

    def _ask(self) -> None:
        """Press, and see whether an answer comes."""
        glasses = self.worn.watch()
        known = max((one.number for one in glasses.happenings), default=0) if glasses else 0
        if self.worn.ask(requests.Press(gesture="ask")) is None:
            return
        self.asked += 1
        end_s = time.monotonic() + ASK_S
        while time.monotonic() < end_s:
            new = self.worn.ask(requests.Watch(since=known))
            if isinstance(new, Watched) and any(one.kind == "answer" for one in new.happenings):
                self.answered += 1
                break
            time.sleep(0.1)
        # The next answer waits for so long.
        time.sleep(1.1)

    def spoken(self) -> tuple[int, int]:
        """Return how many cues of the long life were to be spoken, and how many sounds were begun in all."""
        cues = sum(one.get("event") == "cue" and "voice" in one["outputs"] for one in self.worn.events(self.worn.pid))
        return cues, len((self.worn.folder / "played").read_text().splitlines())

    def _progress(self, passed_s: float) -> str:
        took = self.calms[-1].took
        memory = f"{took.own / 1024:.1f} MB of its own, {took.files / 1024:.1f} MB of files"
        what = f"{memory}, {took.descriptors} descriptors, {took.threads} threads"
        return (
            f"{passed_s / 60:.0f} of {self._length_s / 60:.0f} min: {sum(self.day.counts.values())} happenings, {what}"
        )


def fill_story(state: Path) -> None:
    """Write as many sessions as a story keeps, an hour apart, each with a few cues."""
    now = datetime.now(UTC)
    with closing(store.open_to_write(state / store.FILE)) as db, store.transaction(db):
        for hours in range(store.MAX_SESSIONS, 0, -1):
            began = store.date_of((now - timedelta(hours=hours)).timestamp())
            number = store.begin(db, began, "companion", school=False)
            for t in range(10, 100, 10):
                store.add(db, number, store.Entry(float(t), "cue", "happy", "expression", ("light",)))
            store.end(db, number, 120.0, "time")


def draw(folder: Path, seed: int) -> None:
    """Write the pictures of a scene in which people come and go."""
    scene = scenes.visits(seed, count=PEOPLE)
    with (folder / "pictures").open("wb") as file:
        for number in range(scene.frames):
            file.write(scene.picture(number)[0].tobytes())


def report(soak: Soak, status: int) -> tuple[list[str], list[Line], bool]:
    """Return what there is to say, the table, and whether all is well."""
    worn, day = soak.worn, soak.day
    ages = worn.ages_ms(worn.lives[-1])
    rows = verdict.lines(soak.calms, ages)
    spoken, played = soak.spoken()
    counts = ", ".join(f"{count} {name}" for name, count in sorted(day.counts.items()))
    ends = ", ".join(f"{count} {how}" for how, count in worn.ends.items())
    whole = worn.story_is_whole()
    took = day.visits.took
    most_mb = max((one.rss for one in took), default=0) / 1024
    most = max((one.descriptors for one in took), default=0)
    cut = ", ".join(f"{count} {why}" for why, count in day.visits.cut.items()) or "none"
    life = f"one life of {soak.calms[-1].s / 60:.1f} min after {len(worn.lives) - 1} others ({ends})"
    said = [
        f"{life}: {len(ages)} beats, measured at rest {len(soak.calms)} times",
        f"what happened: {counts}",
        f"asked at rest {soak.asked} times, answered {soak.answered} times",
        f"the long life asked for {spoken} spoken cues; all lives together began {played} sounds",
        f"visits of a phone: {day.visits.done}; a page took {most_mb:.0f} MB and {most} descriptors at most",
        f"visits cut short: {cut}",
        f"the story is {'whole' if whole else 'DAMAGED'}; the glasses ended with status {status}",
    ]
    well = whole and status == 0 and soak.answered == soak.asked and all(row.verdict != "NOT FLAT" for row in rows)
    return said, rows, well


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for unit, factor in (("seconds", 1), ("minutes", 60), ("hours", 3600)):
        parser.add_argument(f"--{unit}", dest="length_s", type=lambda text, by=factor: float(text) * by)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faster", type=float, default=2.0)
    parser.add_argument("--json", type=Path, metavar="FILE")
    parser.set_defaults(length_s=900.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak") as name, small_disk(Path(name) / "state") as is_small:
        if not is_small:
            print("the disk is never full: that needs root, and a file system in memory", file=sys.stderr)
        soak = Soak(Path(name), options, disk_may_fill=is_small)
        fill_story(soak.worn.state)
        draw(Path(name), options.seed)
        try:
            soak.run()
        finally:
            status = soak.worn.end()
        said, rows, well = report(soak, status)
    print("\n".join((*said, "", verdict.table(rows))))
    if options.json:
        figures_of = [dataclasses.asdict(row) | {"growth": row.growth, "verdict": row.verdict} for row in rows]
        found = {"seed": options.seed, "length_s": options.length_s, "said": said, "figures": figures_of, "flat": well}
        found["calms"] = [dataclasses.asdict(calm) for calm in soak.calms]
        options.json.write_text(command.to_json(found))
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
