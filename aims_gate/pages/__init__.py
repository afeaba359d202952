"""HTML pages that people look at: self-contained, without script, printable, light and dark."""
