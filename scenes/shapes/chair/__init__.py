"""The class chair."""
