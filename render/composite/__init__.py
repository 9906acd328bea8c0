"""Cracks drawn on photographs, without Blender: each step of the recipe is a pure function in a file of its own.

Colours are display values (sRGB), float32, black at 0 and white at 255; what goes beyond is cut off at the end. A
crack's opacity is (H, W) float32 in [0, 1].
"""
