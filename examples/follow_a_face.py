"""Follows the faces in a video from frame to frame, and tells when each comes and goes."""

import argparse
from contextlib import closing

from cuelens.adapters.haar import HaarDetector
from cuelens.adapters.sources import open_source
from cuelens.settings import Camera
from cuelens.vision.face_finder import FaceFinder, LookPace
from cuelens.vision.optics import Optics
from cuelens.vision.stage_times import StageTimes


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument(
        "video", nargs="?", default="demo", help="a video's path, v4l2:0, or demo (the built-in scene)"
    )
    finder = FaceFinder(HaarDetector(), Optics(), LookPace(), StageTimes())
    with closing(open_source(options.parse_args().video, Camera())) as source:
        while frame := source.read(timeout_s=5.0):
            sight = finder.find(frame)
            for face in sight.appeared:
                print(f"{frame.t:6.2f} s  face {face.track} came, at {face.box[:2]}")
            for track in sight.lost:
                print(f"{frame.t:6.2f} s  face {track} went")


if __name__ == "__main__":
    main()
