"""`cuelens completion`: what completes the commands in a shell. The files are made by `make completion`."""

from pathlib import Path

from cuelens_models.command import standard_output


def completion(shell: str) -> int:
    """Print the script for a shell, bash or zsh. Returns 0. Raises Unwritable."""
    standard_output().write((Path(__file__).parent / "completions" / f"cuelens.{shell}").read_bytes())
    return 0
