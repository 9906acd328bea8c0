"""Cracks as contours in millimetres: generators, composition, rasters. `library.sample` is the way in."""
