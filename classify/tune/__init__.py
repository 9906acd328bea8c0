"""Tuning: the distributions of a config's factors, learned from photographs without labels."""
