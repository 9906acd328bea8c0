"""Everything that imports Blender."""
