"""Checks of the management system as a whole: Statement of Applicability, AI system inventory."""
