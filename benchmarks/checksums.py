"""Checksums of what every preset draws. They prove that a change of the code moved no picture.

The script draws six small pictures of each preset and of a composed set, with a fixed seed. It compares their
checksums with those in benchmarks/checksums.json. There is one checksum for each shard as a file, and one for each
array in it. So you see whether pictures, labels or only the words of the scene record changed. `--record` writes the
file anew. Compare on the same kind of processor: Cycles adds in another order where vectors are wider.

    python -m benchmarks.checksums [--record] [SET ...]
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import click
import h5py
import numpy as np
from PIL import Image

from scenes.config.loading import preset_names

RECORDED = Path(__file__).with_name("checksums.json")
PICTURES, SEED = 6, 7
# Classes of the made-up models for the preset that needs a copy of ShapeNetCore.
_SYNSETS = ("02691156", "03001627", "03797390")


@click.command()
@click.argument("names", metavar="[SET ...]", nargs=-1)
@click.option("--record", is_flag=True, help="Write benchmarks/checksums.json instead of comparing with it.")
def main(names: tuple[str, ...], record: bool) -> None:
    """Draw the sets and compare their checksums with the recorded ones; exit 1 where they differ."""
    known = json.loads(RECORDED.read_text()) if RECORDED.exists() else {}
    found: dict[str, Any] = {}
    # The folder is always the same, because a config's checksum depends on the paths of its assets.
    scratch = Path(tempfile.gettempdir()) / "blendmill-checksums"
    scratch.mkdir()
    try:
        for name in names or (*preset_names(), "composed"):
            found[name] = _drawn(name, scratch)
            differing = _differing(known.get(name, {}), found[name])
            click.echo(f"{name}: {'as recorded' if not differing else 'differs in ' + ', '.join(differing)}")
    finally:
        shutil.rmtree(scratch)
    if record:
        RECORDED.write_text(json.dumps({**known, **found}, indent=1, sort_keys=True) + "\n")
    elif any(_differing(known.get(name, {}), sums) for name, sums in found.items()):
        sys.exit(1)


def _drawn(name: str, scratch: Path) -> dict[str, str]:
    """The checksums of a set: "file" of its one shard, and each array's by its name."""
    out = scratch / name
    words = ["render", name]
    if name == "composed":
        photographs = str(made_photographs(scratch))
        words = ["crack", "compose", "--textures", photographs, "--styles", photographs]
    if name == "s2rda49-shapenet":
        words += ["--set", f"assets.models=[{{path: {json.dumps(str(made_models(scratch)))}, layout: shapenet}}]"]
    small = ["--set", f"{'resolution' if name == 'composed' else 'camera.resolution'}=[128,96]"]
    size = ["--images", str(PICTURES), "--shard-size", str(PICTURES), "--seed", str(SEED), "--workers", "1"]
    subprocess.run(
        [sys.executable, "-c", "from render.cli.main import main; main()", *words, *small, "--out", str(out), *size],
        check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    shard = out / "shards" / "00000.h5"
    sums = {"file": hashlib.sha256(shard.read_bytes()).hexdigest()}
    with h5py.File(shard) as file:
        file.visititems(lambda path, item: sums.update(_of_array(path, item)))
    return sums


def _of_array(path: str, item: Any) -> dict[str, str]:
    if not isinstance(item, h5py.Dataset):
        return {}
    values = item.asstr()[:] if h5py.check_string_dtype(item.dtype) else item[:]
    raw = "\n".join(values).encode() if values.dtype == object else np.ascontiguousarray(values).tobytes()
    return {path: hashlib.sha256(raw).hexdigest()}


def _differing(known: dict[str, str], found: dict[str, str]) -> list[str]:
    return sorted(part for part in known.keys() | found.keys() if known.get(part) != found.get(part))


def made_photographs(scratch: Path) -> Path:
    """A folder of made-up photographs of surfaces: coarse and fine noise, one of them too small for a picture."""
    folder = scratch / "photographs"
    if not folder.exists():
        folder.mkdir()
        rng = np.random.default_rng(0)
        for number, side in enumerate((900, 700, 300)):
            coarse = np.kron(rng.normal(140, 20, (side // 50, side // 50, 3)), np.ones((50, 50, 1)))
            pixels = np.clip(coarse + rng.normal(0, 12, coarse.shape), 0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}.png")
    return folder


def made_models(scratch: Path) -> Path:
    """A folder of made-up models in ShapeNetCore's layout: tents and boxes."""
    folder = scratch / "shapenet"
    for number, synset in enumerate(_SYNSETS):
        place = folder / synset / f"{number:032x}" / "models"
        place.mkdir(parents=True, exist_ok=True)
        height = 0.2 + 0.2 * number
        corners = [(x, y, z) for x in (-0.3, 0.3) for y in (0, height) for z in (-0.4, 0.2)]
        faces = ["1 2 4 3", "5 7 8 6", "1 5 6 2", "3 4 8 7", "1 3 7 5", "2 6 8 4"]
        lines = [f"v {x} {y} {z}" for x, y, z in corners] + [f"f {face}" for face in faces]
        (place / "model_normalized.obj").write_text("\n".join(lines) + "\n")
    return folder


if __name__ == "__main__":
    main()
