"""Image classification on rendered data."""
