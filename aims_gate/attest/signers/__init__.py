"""Ways to sign; one file per kind of key."""
