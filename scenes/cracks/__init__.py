"""Cracks as contours in millimeters: generators, composition, rasters. `library.sample` is the way in."""
