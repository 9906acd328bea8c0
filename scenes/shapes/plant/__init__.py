"""The class plant."""
