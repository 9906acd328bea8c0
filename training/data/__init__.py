"""Pictures to learn from: where they lie, how they are split, and how they come in batches."""
