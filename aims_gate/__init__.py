"""aims-gate: a policy, a model and its data in; signed evidence and a verdict out."""

__version__ = "0.1.0"
