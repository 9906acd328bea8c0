"""The class airplane."""
