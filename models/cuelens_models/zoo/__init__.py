"""Networks, one a file, and the blocks that they are put together from."""
