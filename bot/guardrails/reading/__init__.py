"""How a text is read: without its disguises, sentence by sentence."""
