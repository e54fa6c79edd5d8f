"""Resident memory of a running `cuelens run`, and how it grows.

    python benchmarks/memory.py [--seconds 30]
    python benchmarks/memory.py --profile    # of a process that reads settings and a profile, and does nothing else

The scene is written to a video first, so that the process measured is the plain runtime, without any extra.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=24)
    parser.add_argument("--profile", action="store_true", help="measure what reading settings and a profile takes")
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
            print(f"after {seconds * part:4.0f} s: {now_mb:.1f} MB resident, {highest_mb:.1f} MB at the highest")
        running.wait()


if __name__ == "__main__":
    main()
