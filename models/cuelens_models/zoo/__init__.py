"""The recipes: one network and its training a file, each found by its name in `RECIPES`."""
