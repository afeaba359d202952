"""The AI management system in daily work: records written from what ran, kept and asked for."""
