"""Health: the state of the board, and notifications to systemd."""
