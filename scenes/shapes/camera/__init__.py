"""The class camera."""
