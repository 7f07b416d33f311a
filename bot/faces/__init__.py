"""The program's faces: Discord, the playground page, the terminal."""
