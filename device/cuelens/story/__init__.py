"""The story of the sessions: what was told, pressed and muted in the last 30 days, for a family to read and delete."""
