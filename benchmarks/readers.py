"""Model files of any format, as our readers and as Blender's own importers find them.

    python -m benchmarks.readers FOLDER [JSONL]

For each file below the folder: the triangles, the bounding box, the area, the inputs of the shader that have a map,
whether there are UVs and colors of vertices. A line is printed where the two differ, and all goes to JSONL.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from scenes.assets.formats import AXES, GLTF
from scenes.assets.reader import Reader
from scenes.errors import LoadError

# Blender has no importer of OFF files; `benchmarks.gltf` compares those of glTF.
_COMPARED = frozenset(AXES) - {".off", *GLTF}
_READER = Reader("benchmarks.readers_side", seconds=120)


def main(folder: Path, kept: Path | None) -> None:
    counts: dict[str, int] = {}
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _COMPARED and path.is_file())
    for path in files:
        mine, other = (_side(path, folder, side) for side in ("ours", "theirs"))
        differing = differences(mine, other)
        verdict = "; ".join(differing) or "same"
        counts[_kind(mine, other, differing)] = counts.get(_kind(mine, other, differing), 0) + 1
        name = path.relative_to(folder).as_posix()
        if differing:
            print(f"{name} | {verdict}", flush=True)
        if kept is not None:
            with kept.open("a") as file:
                file.write(json.dumps({"file": name, "ours": mine, "theirs": other, "differ": differing}) + "\n")
    print(f"{len(files)} files: " + ", ".join(f"{number} {kind}" for kind, number in sorted(counts.items())))


def differences(mine: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """What differs, a few words for each."""
    refused, empty = mine.get("refused"), not other.get("triangles")
    if refused:
        return [] if empty else [f"refused: {refused} (Blender: {other['triangles']} triangles)"]
    if empty:
        return [f"Blender: {other.get('refused', 'no triangles')}"]
    found = []
    if mine["triangles"] != other["triangles"]:
        found.append(f"triangles {mine['triangles']}, Blender {other['triangles']}")
    size = max(np.ptp([other["low"], other["high"]], axis=0).max(), 1e-12)
    apart = max(np.abs(np.subtract(mine[key], other[key])).max() for key in ("low", "high")) / size
    if not apart < 1e-4:
        found.append(f"box apart by {apart:.2g} of its size")
    if not abs(mine["area"] - other["area"]) <= 1e-3 * other["area"]:
        found.append(f"area {mine['area']:.4g}, Blender {other['area']:.4g}")
    found += [
        f"{key} {mine[key]}, Blender {other[key]}" for key in ("maps", "uvs", "colors") if mine[key] != other[key]
    ]
    return found


def _kind(mine: dict[str, Any], other: dict[str, Any], differing: list[str]) -> str:
    if mine.get("refused"):
        return "refused by us alone" if differing else "refused or empty on both sides"
    if not other.get("triangles"):
        return "refused or empty for Blender alone"
    return "differ" if differing else "same"


def _side(path: Path, root: Path, side: str) -> dict[str, Any]:
    try:
        found: dict[str, Any] = _READER.ask({"path": str(path), "root": str(root), "side": side})
    except LoadError as error:
        return {"refused": str(error)}
    return found


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]) if len(sys.argv) > 2 else None)
