"""Work on arrays of pixels, without Blender: color, labels, sheets."""
