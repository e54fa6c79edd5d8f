"""The image of a memory card: a maker writes it to a card, switches the glasses on, and they work.

It runs on a workstation, as an ordinary user, with Python alone; `python -m image --help` (in `device`) says how. Of
cuelens it knows the wheel, and what `make install-units` puts into a root.
"""
