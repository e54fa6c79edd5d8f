"""`systemctl reload` with changed settings under a real systemd: one main process, and a watchdog that waits for it.

A manager for one user runs in namespaces of its own, so that nothing of this machine's is touched.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

pytestmark = pytest.mark.slow
MANAGER = "/lib/systemd/systemd"
UNIT = """\
[Service]
Type=notify
NotifyAccess=main
ExecStart={python} -m cuelens run --config {folder}/cuelens.toml --worn --events {folder}/events.jsonl
ExecReload=/bin/kill -HUP $MAINPID
WatchdogSec=3
WatchdogSignal=SIGKILL
Restart=always
Environment=PYTHONPATH={folder}/slow:{path} RUNTIME_DIRECTORY={folder}/link
StandardError=append:{folder}/errors.txt
"""
SCRIPT = """\
set -e
mount --make-rprivate /
umount -R /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/$NAME /run/systemd
echo $$ > /sys/fs/cgroup/$NAME/cgroup.procs
mount -t tmpfs none /run/systemd
mkdir /run/systemd/system
unset NOTIFY_SOCKET
$MANAGER --user --unit=basic.target --log-target=console > log.txt 2>&1 &
manager=$!
end() {
    kill $manager
    wait $manager
    echo $$ > /sys/fs/cgroup/cgroup.procs
    find /sys/fs/cgroup/$NAME -depth -type d -exec rmdir {} +
}
trap end EXIT
for _ in $(seq 100); do systemctl --user is-active -q basic.target && break; sleep 0.1; done
systemctl --user is-active -q basic.target
echo ready
set +e
show() { systemctl --user show glasses -p MainPID -p NRestarts -p WatchdogUSec --value | tr '\\n' ' '; echo; }
systemctl --user start glasses
show
sed -i s/first/second/ cuelens.toml
systemctl --user reload glasses
for _ in $(seq 400); do
    grep -q second events.jsonl && break
    systemctl --user is-active glasses >> states.txt
    sleep 0.1
done
for _ in $(seq 100); do [ "$(systemctl --user is-active glasses)" = active ] && break; sleep 0.1; done
show
systemctl --user is-active glasses
main=$(systemctl --user show glasses -p MainPID --value)
kill -STOP $main
for _ in $(seq 100); do [ "$(systemctl --user show glasses -p NRestarts --value)" = 1 ] && break; sleep 0.1; done
show
systemctl --user stop glasses
"""


def test_a_reload_keeps_the_main_process_however_slowly_it_starts_and_then_the_watchdog_is_as_strict_as_before(
    tmp_path: Path,
) -> None:
    if os.geteuid() != 0 or not Path(MANAGER).exists() or shutil.which("unshare") is None:
        pytest.skip("a manager of one's own needs root, systemd and unshare")
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        for n in range(1800):
            cv2.imwrite(str(tmp_path / name / f"{n:04}.pgm"), np.full((48, 64), 99, np.uint8))
    (tmp_path / "cuelens.toml").write_text(
        f'[places]\nstate = "{tmp_path}/state"\n[camera]\nsource = "{tmp_path}/first"'
    )
    # A small board starts no faster: longer than the watchdog waits otherwise.
    (tmp_path / "slow").mkdir()
    slow = "import os, time\nif 'CUELENS_BEGUN_ANEW' in os.environ:\n    time.sleep(5)\n"
    (tmp_path / "slow" / "sitecustomize.py").write_text(slow)
    units = tmp_path / "config" / "systemd" / "user"
    units.mkdir(parents=True)
    (tmp_path / "run").mkdir()
    path = os.pathsep.join(entry for entry in sys.path if entry)
    (units / "glasses.service").write_text(UNIT.format(python=sys.executable, folder=tmp_path, path=path))
    done = subprocess.run(
        ["unshare", "--fork", "--kill-child", "--pid", "--mount", "--mount-proc", "bash", "-c", SCRIPT],
        cwd=tmp_path,
        env=os.environ
        | {"XDG_RUNTIME_DIR": str(tmp_path / "run"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
        | {"HOME": str(tmp_path), "MANAGER": MANAGER, "NAME": tmp_path.name},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    if "ready" not in done.stdout:
        pytest.skip(f"no manager of one's own runs here: {done.stderr.strip().splitlines()[-1:]}")
    _, started, reloaded, state, killed = (line.split() for line in done.stdout.splitlines())
    errors = (tmp_path / "errors.txt").read_text()
    assert "begin anew" in errors
    assert "reloading" in (tmp_path / "states.txt").read_text().split()
    assert (started[0], started[2], state) == ("3s", "0", ["active"]), errors
    assert reloaded == started
    # Who hangs afterwards is killed and started again as ever.
    assert (killed[0], killed[2]) == ("3s", "1")
