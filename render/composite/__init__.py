"""Draws cracks on photographs, without Blender. The steps of the recipe are pure functions.

Colors are sRGB display values in float32, from 0 (black) to 255 (white). Values outside are clipped at the end. The
opacity of a crack is (H, W) float32 in [0, 1].
"""
