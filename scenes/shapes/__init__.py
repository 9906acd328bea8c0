"""Parametric shapes of everyday classes: each package in this folder is one. `registry.GENERATORS` finds them."""
