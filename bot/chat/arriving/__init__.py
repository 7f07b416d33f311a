"""From a message to a running turn: is it for us, what joins it, what was taken back or left."""
