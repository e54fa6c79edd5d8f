"""Synthetic heads before a camera: what is right and wrong is known in every frame (docs/heads.md)."""
