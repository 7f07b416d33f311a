"""What is done with a reply: its buttons, `/why`, `/report`, `/conversation reset`."""
