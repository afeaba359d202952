"""MLflow: reading models, runs and data through its registry."""
