"""The application layer: the glasses' wheel with what it needs in /opt/cuelens, its units, and the files of the image.

Nothing runs under emulation here: wheels are unpacked, and bytecode is the same on every processor.
"""

import shutil
import subprocess
import zipfile
from configparser import ConfigParser
from pathlib import Path
from typing import Final

from image import lgpio, namespace, python_packages, tools
from image.failure import Failure
from image.places import HERE, REPOSITORY

_PREFIX: Final = "opt/cuelens"


def make(root: Path, work: Path) -> None:
    """Put the layer into an empty folder. work: a folder for what is made on the way."""
    site = root / _PREFIX / "lib" / f"python{python_packages.PYTHON}" / "site-packages"
    site.mkdir(parents=True)
    wheel = python_packages.wheel(work)
    python_packages.install("application", site, wheel)
    lgpio.install(site)
    _interpreter(root / _PREFIX)
    _commands(wheel, root / _PREFIX / "bin")
    _slim(site)
    shutil.copytree(HERE / "rootfs", root, dirs_exist_ok=True, symlinks=True)
    _units(root)
    compile_bytecode(root, site)


def _interpreter(prefix: Path) -> None:
    """Write what makes a folder a virtual environment that sees the packages of the system."""
    (prefix / "bin").mkdir()
    (prefix / "bin" / "python").symlink_to(f"/usr/bin/python{python_packages.PYTHON}")
    (prefix / "pyvenv.cfg").write_text(
        f"home = /usr/bin\ninclude-system-site-packages = true\nversion = {python_packages.PYTHON}\n"
    )


def _commands(wheel: Path, folder: Path) -> None:
    with zipfile.ZipFile(wheel) as content:
        (name,) = (name for name in content.namelist() if name.endswith(".dist-info/entry_points.txt"))
        points = ConfigParser()
        points.read_string(content.read(name).decode())
    for command, target in points["console_scripts"].items():
        module, function = target.split(":")
        file = folder / command
        file.write_text(
            f"#!/{_PREFIX}/bin/python\nimport sys\n\nfrom {module} import {function}\n\nsys.exit({function}())\n"
        )
        file.chmod(0o755)


def _slim(site: Path) -> None:
    """Take away what only developers of the packages use."""
    for folder in [*site.rglob("tests"), *site.rglob("test")]:
        shutil.rmtree(folder, ignore_errors=True)
    for file in [*site.rglob("*.pyi"), *site.rglob("*.h"), *site.rglob("*.c")]:
        file.unlink()


def _units(root: Path) -> None:
    command = ["make", "--silent", "-C", str(REPOSITORY), "install-units", f"DESTDIR={root}", "REBOOT=1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"make install-units failed: {done.stderr.strip().splitlines()[-1]}")


def compile_bytecode(root: Path, site: Path) -> None:
    """Compile the modules in a folder of the root by the Python of the tools tree, which is that of the glasses.

    The bytecode is taken as it is, without a look at the source: neither ever changes on a read-only root.
    """
    namespace.run(
        f"""
        python{python_packages.PYTHON} -m compileall -q -j 2 -s "$1" -p / \\
            --invalidation-mode unchecked-hash "$2"
        """,
        root, site, tools=tools.make(), binds=[root],
    )  # fmt: skip
