"""How right a network is, how sure, and what it costs."""
