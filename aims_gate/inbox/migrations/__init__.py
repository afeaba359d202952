"""Alembic migrations of the inbox: one file a version of the schema, never changed later."""
