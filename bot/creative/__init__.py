"""The creative tools: what may be ordered of them, how they are spoken, and how ideas differ."""
