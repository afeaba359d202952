"""The log of what happened: incidents, nonconformities, concerns, and whether they are closed."""
