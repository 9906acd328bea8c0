"""The generators: each draws the contour of one kind of crack."""
