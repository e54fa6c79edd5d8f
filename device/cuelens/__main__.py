"""`python -m cuelens` is the command `cuelens`."""

from cuelens.cli import main

main()
