"""One file for each command of a model builder."""
