"""What leaves: nothing of a draft is visible before its verdict."""
