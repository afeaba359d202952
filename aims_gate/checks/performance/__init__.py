"""Performance: metrics recomputed from predictions, and what a run claims."""
