"""What happened while nobody listened."""
