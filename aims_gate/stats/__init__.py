"""Numbers in, numbers out: each formula with its law and its source."""
