"""Documented information: is it whole, approved, fresh, current and consistent with the run?"""
