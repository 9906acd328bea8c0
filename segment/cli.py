"""The commands of crack segmentation. What they do is imported when they are run: it needs PyTorch."""

from __future__ import annotations

from pathlib import Path

import click

from render.cli_options import SEED, progress

_FOLDER = click.Path(path_type=Path)


@click.command()
@click.argument("data", type=_FOLDER)
@click.option("--styles", type=_FOLDER, required=True, help="Folder of pictures whose look is taken over.")
@click.option("--vgg", type=_FOLDER, required=True, help="VGG-19's weights as torchvision names them, .safetensors.")
@click.option("--out", type=_FOLDER, required=True, help="Folder that gets img/ and mask/.")
@click.option("--images", type=click.IntRange(1), help="Number of pictures, evenly over the set; by default all.")
@click.option("--strength", type=click.FloatRange(0, 1), default=0.7, show_default=True)
@click.option("--steps", type=click.IntRange(1), default=30, show_default=True, help="Steps of the optimizer.")
@SEED
def stylize(
    data: Path, styles: Path, vgg: Path, out: Path, images: int | None, strength: float, steps: int, seed: int
) -> None:
    """Give the crack pictures of DATA the look of photographs by AdaIN; their masks stay as they are.

    What is there already is not made again.

    Example: blendmill stylize cracks --styles photos --vgg vgg19.safetensors --out styled
    """
    from segment.styling import style_set

    with progress("styling", images) as advance:
        made = style_set(
            data, styles, vgg, out, images=images, strength=strength, steps=steps, seed=seed, advance=advance
        )
    click.echo(f"{made} pictures in {out}")


@click.command()
@click.argument("photos", type=_FOLDER)
@click.option("--weights", type=_FOLDER, multiple=True, required=True, help="Crack U-Net, .safetensors; one or more.")
@click.option("--out", type=_FOLDER, required=True, help="Folder that gets the surfaces.")
@click.option(
    "--threshold",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.02,
    show_default=True,
    help="What any network gives this chance or more counts as crack.",
)
@click.option("--smallest", type=click.IntRange(32), default=112, show_default=True, help="Pixels a side, at least.")
def surfaces(photos: Path, weights: tuple[Path, ...], out: Path, threshold: float, smallest: int) -> None:
    """Cut the largest piece without a crack out of each photograph in PHOTOS, to draw cracks on.

    Where cracks are is told by networks, trained on drawn cracks for instance: no labels are needed. What is there
    already is not made again.

    Example: blendmill surfaces photos --weights unet.safetensors --out surfaces
    """
    from segment.surfaces import cut_surfaces

    with progress("looking for surfaces", None) as advance:
        cut = cut_surfaces(photos, weights, out, threshold=threshold, smallest=smallest, advance=advance)
    for line in cut.left_out:
        click.echo(f"left out: {line}", err=True)
    click.echo(
        f"{cut.pieces} surfaces in {out}; {cut.without} photographs have no piece that is clear and large enough"
    )
