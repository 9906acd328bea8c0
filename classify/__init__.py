"""Image classification on rendered data: not part of this release."""
