"""Rendering: Blender, composites, labels, data sets, exporters, the farm and the command line."""
