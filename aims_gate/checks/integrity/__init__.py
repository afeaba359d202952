"""Integrity: is what was judged the same as what was fetched, declared and run?"""
