"""Diagnose a set-up: each kind of look is a file, and `examine` takes all of them."""
