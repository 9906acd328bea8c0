"""Crack segmentation on rendered data."""
