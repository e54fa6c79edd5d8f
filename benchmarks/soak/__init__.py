"""Endurance: real glasses for many days at once, with everything that happens to them."""
