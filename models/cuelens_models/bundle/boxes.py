"""The type of a box, which needs neither numpy nor OpenCV."""

Box = tuple[int, int, int, int]
"""x, y, width, height, in pixels of the frame; it may reach beyond the frame's border."""
