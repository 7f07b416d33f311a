"""The writing of one reply, from the prompt to the approved text."""
