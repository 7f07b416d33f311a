"""What the bot may do at a place, and what takes it away."""
