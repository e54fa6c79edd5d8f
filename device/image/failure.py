"""What ends a build: one sentence for the maker."""


class Failure(Exception):
    """A build cannot go on. Its text is one sentence; the exit status is 1."""
