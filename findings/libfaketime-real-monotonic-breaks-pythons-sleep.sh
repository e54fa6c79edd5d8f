#!/usr/bin/env bash
# libfaketime moves the wall clock of one program. FAKETIME_DONT_FAKE_MONOTONIC=1 leaves it the real monotonic clock, which
# a test of deadlines needs. Since Python 3.11 time.sleep() waits until a time of the monotonic clock (clock_nanosleep with
# TIMER_ABSTIME), and with libfaketime 0.9.10 that ends with EINVAL at once, wherever the wall clock was moved to. With the
# monotonic clock faked as well, or in sleep(1), all is well.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
(cd "$folder" && apt-get download -q libfaketime >/dev/null 2>&1)
printf 'Debian package libfaketime %s\n' "$(dpkg-deb -f "$folder"/libfaketime_*.deb Version)"
dpkg -x "$folder"/libfaketime_*.deb "$folder/root"
library=$(find "$folder/root" -name libfaketime.so.1)
python3 -c 'import sys; print("Python", sys.version.split()[0]); sys.exit(sys.version_info < (3, 11))' || {
    echo 'this needs Python 3.11 or later' >&2
    exit 1
}
PYTHON='import time
try:
    time.sleep(0.1)
    print("time.sleep: ok, in the year", time.gmtime().tm_year)
except OSError as error:
    print("time.sleep:", error.strerror)'
try() { # title, then the program
    printf '%s: ' "$1"
    LD_PRELOAD=$library FAKETIME='@2031-01-01 00:00:00' "${@:2}"
}
{
    try 'both clocks faked' python3 -c "$PYTHON"
    try 'monotonic clock real' env FAKETIME_DONT_FAKE_MONOTONIC=1 python3 -c "$PYTHON"
    try 'monotonic clock real, sleep(1)' env FAKETIME_DONT_FAKE_MONOTONIC=1 sh -c 'sleep 0.1 && echo ok'
} | tee "$folder/seen"
diff - "$folder/seen" <<'EXPECTED'
both clocks faked: time.sleep: ok, in the year 2031
monotonic clock real: time.sleep: Invalid argument
monotonic clock real, sleep(1): ok
EXPECTED
