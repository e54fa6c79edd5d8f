import subprocess
import sys
from pathlib import Path

import pytest

# The benchmarks are no installed package.
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from benchmarks.heads import assets, draw, identity, rig

from cuelens_models.errors import CuelensError

ROOT = Path(__file__).resolve().parents[2]
LACKS = assets.missing()


@pytest.fixture(scope="session")
def meshes() -> None:
    if LACKS:
        pytest.skip(LACKS)


@pytest.fixture(scope="session")
def people(meshes: None) -> list[rig.Rig]:
    """Four people of the tests."""
    return [rig.build(identity.identity("test", number)) for number in range(4)]


@pytest.fixture(scope="session")
def driver(meshes: None) -> None:
    """Whatever can draw, tried in a process of its own."""
    command = [sys.executable, "-c", "from benchmarks.heads.draw import Studio; Studio(160, 160)"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode >= 0, "drawing ended by a signal"
    if done.returncode:
        pytest.skip(done.stderr.strip().splitlines()[-1])


@pytest.fixture(scope="session")
def studio(meshes: None) -> draw.Studio:
    try:
        return draw.Studio(160, 160)
    except CuelensError as error:
        pytest.skip(str(error))
