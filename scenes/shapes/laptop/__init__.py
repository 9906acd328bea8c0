"""The class laptop."""
