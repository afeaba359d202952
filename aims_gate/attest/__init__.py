"""Signed statements: any DSSE envelope, its keys, and who is trusted; verifiable without us."""
