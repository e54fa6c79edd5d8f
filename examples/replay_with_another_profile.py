"""Records what the glasses saw as an event log, and tells which cues another profile would have given for it."""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--log", type=Path, help="an event log (default: one recorded of the built-in scene)")
    options.add_argument("--profile", type=Path, help="a profile (default: one for a school)")
    given = options.parse_args()
    cuelens = [sys.executable, "-m", "cuelens"]
    with tempfile.TemporaryDirectory() as folder:
        log, profile = given.log or Path(folder, "log.jsonl"), given.profile or Path(folder, "school.json")
        if not given.log:
            subprocess.run([*cuelens, "run", "--source", "demo", "--as-fast", "--events", log], check=True)
        if not given.profile:
            profile.write_text(json.dumps({"school": True, "policy": {"caution": 0.5}}))
        subprocess.run([*cuelens, "replay", log, "--profile", profile], check=True)


if __name__ == "__main__":
    main()
