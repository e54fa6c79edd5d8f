"""What a light does: patterns, colours, brightness, and the limit on flashes."""
