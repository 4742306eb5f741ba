"""Options of the methods, one module each; nothing heavy is imported."""
