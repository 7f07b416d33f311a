"""A stand-in that speaks Ollama's protocol on loopback, for when no Ollama is there."""
