"""Parametric shapes for thirteen everyday classes; `library.GENERATORS` lists them."""
