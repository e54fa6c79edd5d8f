"""How the board and its service manager are doing."""
