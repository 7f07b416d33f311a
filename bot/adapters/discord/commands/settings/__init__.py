"""`/channel …`, the card of a place's settings, and the welcome of a new server."""
