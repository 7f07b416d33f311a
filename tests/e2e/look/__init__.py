"""What the bot sent to the fake Discord, drawn as Discord's own client shows it."""
