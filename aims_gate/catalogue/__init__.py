"""Control catalogue: what a standard lists, by ids and titles, and how standards relate."""
