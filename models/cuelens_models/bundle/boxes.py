"""What a box is, for whoever needs no pictures."""

Box = tuple[int, int, int, int]
"""x, y, width, height, in pixels of the frame; it may reach beyond the frame's border."""
