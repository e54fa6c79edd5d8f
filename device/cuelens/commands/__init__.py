"""The subcommands of `cuelens`, a module each, and what they share."""
