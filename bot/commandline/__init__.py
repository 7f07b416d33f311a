"""Commands of an operator that run no bot."""
