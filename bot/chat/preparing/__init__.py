"""What is known about a turn before a word is written: route, persona, language, surroundings."""
