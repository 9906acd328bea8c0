"""The class car."""
