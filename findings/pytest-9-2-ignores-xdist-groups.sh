#!/usr/bin/env bash
# pytest-xdist's `--dist loadgroup` sends tests with the same `xdist_group` mark to one worker. pytest-xdist 3.8 tells
# its scheduler the group by a suffix that it writes to an attribute of the test, from which pytest 9.2 no longer takes
# a test's id. So the groups are ignored without a word: the option is accepted, every test passes, and tests that share
# something dear, or must not run at once, run on both workers. With pytest 9.0 they run on one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat >test_grouped.py <<'PYTHON'
import pathlib

import pytest


@pytest.mark.xdist_group("one")
@pytest.mark.parametrize("number", range(8))
def test_says_where_it_runs(number, worker_id):
    with pathlib.Path("workers").open("a") as told:
        told.write(worker_id + "\n")
PYTHON

workers() { # version of pytest: how many workers the one group of tests ran on
    python3 -m venv "venv-$1"
    "venv-$1/bin/pip" install --quiet --disable-pip-version-check "pytest==$1" "pytest-xdist==3.8.0" 2>/dev/null
    rm -f workers
    "venv-$1/bin/python" -m pytest -q -W error -n 2 --dist loadgroup test_grouped.py >output || { cat output >&2; return 1; }
    sort -u workers | wc -l
}

python3 --version
before=$(workers 9.0.3)
now=$(workers 9.2.0)
echo "pytest-xdist 3.8.0, a group of eight tests, two workers: pytest 9.0.3 runs it on $before, pytest 9.2.0 on $now"
[ "$before" = 1 ] && [ "$now" = 2 ]
