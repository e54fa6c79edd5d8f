"""Clips as arrays: WAV files and earcons."""
