"""The connection: clients, shards, and what they hear."""
