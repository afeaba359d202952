"""Risk treatment: is what is left acceptable, and did what treats it work in this run?"""
