"""Demo: train, gate, sign, verify and refuse, on real census data."""
