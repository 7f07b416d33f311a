"""`/persona …`: who plays, first words, and a server's own cards."""
