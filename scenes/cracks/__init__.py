"""Cracks as contours in millimeters: generators, composition, rasters. Start with `registry.sample`."""
