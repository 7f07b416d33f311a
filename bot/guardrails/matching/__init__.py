"""Rules: from TOML to patterns that run on RE2, and only those that a text calls for."""
