"""Resident memory of a running `cuelens run`, and how it grows.

    python benchmarks/memory.py [--seconds 30] [--where]    # where: by file and heap, at the end
    python benchmarks/memory.py --profile    # of a process that reads settings and a profile, and does nothing else

The scene is written to a video first, so that the process measured is the plain runtime, without any extra. "Its own"
is what no file has: heaps, stacks, and pages of libraries that the linker changed. The kernel can take the rest back at
any time, and reads it again from the disk. A start holds the most; what only it needed is given back
(`cuelens.health.start_pages`).
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import cv2

from cuelens.adapters.demo_scene import FPS, HEIGHT, WIDTH, demo_scene
from cuelens.health.board import resident_mb

READS = """
import os, cuelens.settings, cuelens.profile.store
from pathlib import Path
from cuelens.health.board import resident_mb
cuelens.settings.read(None)
cuelens.profile.store.active(Path("nowhere"))
print(f"settings and profile read: {resident_mb(os.getpid())[1]:.1f} MB at the highest")
"""

_LEAST_KB = 300
"""Files of which less is in memory are one row."""


def by_mapping(pid: int) -> tuple[Counter[str], Counter[str]]:
    """Return what is in memory of each file, and of it what is the process's own, in kB."""
    resident, own = Counter[str](), Counter[str]()
    name = ""
    for line in Path(f"/proc/{pid}/smaps").read_text(errors="replace").splitlines():
        if mapping := re.match(r"[0-9a-f]+-[0-9a-f]+ \S+ \S+ \S+ \d+ *(.*)", line):
            name = Path(mapping[1]).name if mapping[1].startswith("/") else "heaps and stacks"
        elif line.startswith("Rss:"):
            resident[name] += int(line.split()[1])
        elif line.startswith("Anonymous:"):
            own[name] += int(line.split()[1])
    return resident, own


def print_where(pid: int) -> None:
    resident, own = by_mapping(pid)
    for name in [name for name, kb in resident.items() if kb < _LEAST_KB]:
        resident["all other files"] += resident.pop(name)
        own["all other files"] += own.pop(name)
    for name, kb in resident.most_common():
        print(f"    {name:56} {kb / 1024:5.1f} MB, its own {own[name] / 1024:5.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=24)
    parser.add_argument("--profile", action="store_true", help="measure what reading settings and a profile takes")
    parser.add_argument("--where", action="store_true", help="print how much of which file is in memory")
    options = parser.parse_args()
    if options.profile:
        subprocess.run([sys.executable, "-c", READS], check=True)
        return
    seconds = options.seconds
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "scene.avi"
        writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"MJPG"), FPS, (WIDTH, HEIGHT), isColor=False)
        scene = demo_scene()
        for number in range(scene.frames):
            writer.write(scene.picture(number)[0])
        writer.release()
        command = [sys.executable, "-m", "cuelens", "run", "--source", str(video), "--seconds", str(seconds)]
        environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        running = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environment)
        for part in (0.25, 0.6, 0.95):
            time.sleep(max(0.0, seconds * 0.35 if part > 0.25 else seconds * part))
            now_mb, highest_mb = resident_mb(running.pid)
            own_mb = by_mapping(running.pid)[1].total() / 1024
            print(
                f"after {seconds * part:4.0f} s: {now_mb:.1f} MB resident ({own_mb:.1f} its own),"
                f" {highest_mb:.1f} MB at the highest"
            )
        if options.where:
            print_where(running.pid)
        running.wait()


if __name__ == "__main__":
    main()
