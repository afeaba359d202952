"""Reconcile a registry: what is done about a model, from state only, never from a message."""
