"""What the commands of crack segmentation share."""

from __future__ import annotations

from pathlib import Path

import click

FOLDER = click.Path(path_type=Path)


class _MaskValue(click.ParamType):
    """A number, decimal or with 0x."""

    name = "value"

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> int:
        try:
            return int(str(value), 0)
        except ValueError:
            self.fail(f"'{value}' is not a number such as 255 or 0xff0000", param, context)


class Sizes(click.ParamType):
    """Numbers, separated by commas."""

    name = "sizes"

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> tuple[float, ...]:
        try:
            return tuple(float(word) for word in str(value).split(","))
        except ValueError:
            self.fail(f"'{value}' are no numbers with commas, such as 0.5,0.7,1", param, context)


SCALES = click.option(
    "--scales",
    type=Sizes(),
    metavar="SIZES",
    help="Sizes at which pictures are seen, such as 0.5,0.7,1; the logits are averaged. By default those of the run, "
    "for which it chose its threshold.",
)
MASK_VALUE = click.option(
    "--mask-value",
    type=_MaskValue(),
    help="Value of cracks in the masks: a gray value, an index of the palette, or a color 0xrrggbb. By default it is "
    "the one of two values that covers fewer pixels.",
)
