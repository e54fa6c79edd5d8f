"""`cuelens completion`: what completes the commands in a shell. The files are made by `make completion`."""

import sys
from pathlib import Path


def completion(shell: str) -> int:
    """Print the script for a shell, bash or zsh. Returns 0."""
    sys.stdout.write((Path(__file__).parent / "completions" / f"cuelens.{shell}").read_text("utf-8"))
    return 0
