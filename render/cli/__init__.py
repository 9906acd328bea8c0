"""The `blendmill` command and the commands of rendering."""
