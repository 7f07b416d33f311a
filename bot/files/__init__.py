"""Files: those that ship, those that an operator edits, those that a command writes."""
