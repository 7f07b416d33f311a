"""Whether a text means what it says: games, stories, jest, excuses, and what is against them."""
