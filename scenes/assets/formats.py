"""The formats of model files, by suffix, and the axes of each."""

from __future__ import annotations

READ_HERE = (".obj", ".stl", ".off", ".ply")
GLTF = (".glb", ".gltf")
IMPORTED = (".fbx", ".usd", ".usda", ".usdc", ".usdz", ".blend")
# Default up and front axes of each format; Blender's importers turn theirs to z and -y.
AXES = {s: ("y", "z") if s in (".obj", *GLTF) else ("z", "-y") for s in (*READ_HERE, *GLTF, *IMPORTED)}
# ShapeNetCore turned its models between its versions, which are told apart by the names of the files.
SHAPENET_AXES = {"model_normalized.obj": ("y", "-z"), "model.obj": ("y", "x")}
# Models too, but nobody here reads them.
UNREAD = (
    ".3ds", ".3mf", ".abc", ".c4d", ".ctm", ".dae", ".dxf", ".iges", ".igs", ".lwo", ".ma", ".max", ".mb", ".ms3d",
    ".skp", ".step", ".stp", ".wrl", ".x3d", ".zae",
)  # fmt: skip
# Downloads that have to be unpacked, whatever they hold.
ARCHIVES = (".7z", ".bz2", ".gz", ".rar", ".tar", ".tgz", ".xz", ".zip", ".zst")
ARCHIVE = "is an archive, which is not looked into; unpack it"


def suffix_of(name: str) -> str:
    """What follows the last dot of a name, in small letters, with the dot."""
    return f".{name.rpartition('.')[2].lower()}"
