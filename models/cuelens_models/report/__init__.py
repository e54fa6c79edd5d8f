"""The page that `evaluate-model --report` writes: one file that needs nothing beside it."""
