"""The class guitar."""
