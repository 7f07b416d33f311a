"""The heads: small classifiers that point, never block; and their training."""
