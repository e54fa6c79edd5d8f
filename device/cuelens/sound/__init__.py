"""Clips as arrays: recordings and earcons."""
