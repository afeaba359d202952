"""Policy text to policy values."""
