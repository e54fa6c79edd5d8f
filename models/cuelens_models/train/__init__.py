"""From faces and teachers to trained networks."""
