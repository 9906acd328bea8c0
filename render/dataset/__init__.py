"""Data sets: shards, where they lie, what they say of themselves, and what other tools read."""
