"""The class mug."""
