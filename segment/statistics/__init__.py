"""Measure sets of crack pictures and compare them.

Masks are (H, W) bool, gray values (H, W) float32 from 0 to 255 (Rec. 601 luma of the display values).
"""
