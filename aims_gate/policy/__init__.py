"""Policies: parsing, inheritance, packs, and the values that they become."""
