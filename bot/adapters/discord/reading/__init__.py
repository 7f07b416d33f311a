"""From Discord's messages, files and links to our own values."""
