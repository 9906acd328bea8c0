"""Crack segmentation on rendered data: not part of this release."""
