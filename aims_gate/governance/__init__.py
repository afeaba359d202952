"""Records of the AI management system: documents and log entries as facts, never a verdict."""
