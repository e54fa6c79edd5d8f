import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow", reason="teams are TensorFlow's (extra train)")

from cuelens_models.data.faces import Faces

WORKER = Path(__file__).with_name("worker.py")
TIMEOUT_S = 240


@pytest.fixture(scope="module")
def faces_npz(tmp_path_factory: pytest.TempPathFactory, made_up_faces: Callable[[int, int], Faces]) -> Path:
    path = tmp_path_factory.mktemp("team") / "faces.npz"
    faces = made_up_faces(300, 4)
    np.savez(path, pixels=faces.pixels, emotion=faces.emotion, votes=faces.votes)
    return path


@pytest.fixture(scope="module")
def alone(faces_npz: Path) -> Mapping[str, np.ndarray]:
    out = faces_npz.with_name("alone.npz")
    finish(start("alone", faces_npz, out))
    return np.load(out)


def start(name: str, data: Path, out: Path, tf_config: object = None) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    if tf_config is not None:
        environment["TF_CONFIG"] = json.dumps(tf_config)
    return subprocess.Popen(
        [sys.executable, WORKER, name, data, out], env=environment, stderr=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str]) -> str:
    try:
        _, errors = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        raise
    assert process.returncode == 0, errors
    return errors


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def test_two_workers_have_the_losses_and_the_weights_of_one(
    faces_npz: Path, alone: Mapping[str, np.ndarray], tmp_path: Path
) -> None:
    workers = [f"127.0.0.1:{port}" for port in free_ports(2)]
    outs = [tmp_path / f"{number}.npz" for number in range(2)]
    started = [
        start(
            "multiworker", faces_npz, out, {"cluster": {"worker": workers}, "task": {"type": "worker", "index": number}}
        )
        for number, out in enumerate(outs)
    ]
    try:
        for process in started:
            finish(process)
    finally:
        for process in started:
            process.kill()
    assert len(alone["losses"]) == 3
    assert alone["losses"][-1] < alone["losses"][0]
    for out in outs:
        results = np.load(out)
        np.testing.assert_allclose(results["losses"], alone["losses"], atol=1e-4)
        np.testing.assert_allclose(results["weights"], alone["weights"], atol=1e-3)


def test_the_devices_of_one_machine_have_the_losses_of_one(
    faces_npz: Path, alone: Mapping[str, np.ndarray], tmp_path: Path
) -> None:
    finish(start("mirrored", faces_npz, tmp_path / "out.npz"))
    np.testing.assert_allclose(np.load(tmp_path / "out.npz")["losses"], alone["losses"], atol=1e-4)
