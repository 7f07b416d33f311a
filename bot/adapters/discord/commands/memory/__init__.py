"""`/memory …` and `/privacy`, the offer of a memory, and notes beside a reply."""
