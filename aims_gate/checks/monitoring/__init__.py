"""Checks of continuous monitoring: does it go on, without holes?"""
