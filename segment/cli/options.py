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


MASK_VALUE = click.option(
    "--mask-value",
    type=_MaskValue(),
    help="Value of cracks in the masks: a gray value, an index of the palette, or a color 0xrrggbb. By default it is "
    "the one of two values that covers fewer pixels.",
)
