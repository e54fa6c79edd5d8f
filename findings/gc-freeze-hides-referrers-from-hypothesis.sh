#!/usr/bin/env bash
# gc.freeze() moves all objects to a generation that the garbage collector no longer visits, which long-running processes
# do after start-up. gc.get_referrers() visits the others only: of an object whose referrers are all frozen it returns
# nobody, although they refer to it as before. Hypothesis asks it whether a random generator that a plugin registers has
# an owner. So in a process that has frozen its objects, importing Hypothesis where trio is installed warns that trio's
# generator "could be garbage collected immediately", which it cannot: it is a global of a module. gc.unfreeze() mends it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check "hypothesis==6.150.0" "trio==0.32.0" 2>/dev/null
cat >"$folder/look.py" <<'PYTHON'
import gc
import sys
import warnings

import trio._core._run as trio_run

mode = sys.argv[1]
if mode != "plain":
    gc.freeze()
if mode == "unfrozen":
    gc.unfreeze()
found = len(gc.get_referrers(trio_run._r))
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    import hypothesis
told = [str(one.message)[:60] for one in caught if "register_random" in str(one.message)]
print(f"{mode}: {found} referrers of trio's generator; Hypothesis {hypothesis.__version__} warns: {told or 'no'}")
sys.exit(bool(told) != (mode == "frozen") or (found == 0) != (mode == "frozen"))
PYTHON
"$folder/venv/bin/python" -VV
for mode in plain frozen unfrozen; do "$folder/venv/bin/python" "$folder/look.py" "$mode"; done
