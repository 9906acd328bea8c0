"""Scenes as plain data: config, distributions, random streams, sampling, assets, shapes. Blender-free."""
