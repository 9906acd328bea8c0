"""The class motorcycle."""
