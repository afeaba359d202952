"""MLflow: the registry contract, and reading models, runs and data through it."""
