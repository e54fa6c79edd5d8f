"""The wearer's light: patterns, colours, brightness, and the flash limit."""
