"""The class watercraft."""
