"""The commands of crack segmentation."""

from segment.cli.networks import segment
from segment.cli.sets import measure, sheet, stylize, surfaces

__all__ = ["measure", "segment", "sheet", "stylize", "surfaces"]
