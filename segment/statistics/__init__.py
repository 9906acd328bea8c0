"""What sets of crack pictures have in common and where they differ: measured, compared, laid side by side.

Masks are (H, W) bool, gray values (H, W) float32 from 0 to 255 (Rec. 601 luma of the display values).
"""
