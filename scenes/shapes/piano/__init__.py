"""The class piano."""
