"""What we state about a verdict."""
