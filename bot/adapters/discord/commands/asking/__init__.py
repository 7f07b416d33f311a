"""`/ask`, the creative tools, and the menus of a message: what makes a turn without a message."""
