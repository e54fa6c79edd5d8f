"""The link to running glasses: messages over a UNIX socket (docs/link.md)."""
