"""Opens what every face shares: stores, models, guardrails, health."""
