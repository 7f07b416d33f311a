"""Care for people: words, disclosures, and how a person fares over time."""
