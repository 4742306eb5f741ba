"""What the core promises to plugins, as data: `python -m tests.promise` writes it, a test holds the core to it."""
