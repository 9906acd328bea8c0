"""The class lamp."""
