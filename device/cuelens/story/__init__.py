"""The story: a log of the cues, presses and mutes of the last 30 days, which a family can read and delete."""
