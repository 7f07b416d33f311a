"""From a message to a turn that may begin: is it for us, who may ask, and what was taken back."""
