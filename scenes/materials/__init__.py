"""Material families, the roles they play, and what is known of their color and layout without Blender."""
