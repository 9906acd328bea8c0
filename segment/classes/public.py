"""Legends of public sets, whose masks come without a file that names their classes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from segment.classes.legend import Color, Legend, Row, legend_of

BORDER = (224, 224, 192)
"""VOC's border between objects."""

# devkit of VOC 2012: VOClabelcolormap and its classes.
VOC = (
    "background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable",
    "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
# Read me of LoveDA (Wang et al., NeurIPS 2021). 0 is no data.
_LOVEDA = ("no-data", "background", "building", "road", "water", "barren", "forest", "agricultural")
# ISPRS 2D semantic labeling: Potsdam and Vaihingen. Labels without boundaries are black there.
_ISPRS = {
    "impervious surfaces": (255, 255, 255), "building": (0, 0, 255), "low vegetation": (0, 255, 255),
    "tree": (0, 255, 0), "car": (255, 255, 0), "clutter": (255, 0, 0),
}  # fmt: skip
# Development kit of iSAID (Zamir et al., CVPR workshops 2019).
_ISAID = {
    "background": (0, 0, 0), "ship": (0, 0, 63), "storage tank": (0, 63, 63), "baseball diamond": (0, 63, 0),
    "tennis court": (0, 63, 127), "basketball court": (0, 63, 191), "ground track field": (0, 63, 255),
    "bridge": (0, 127, 63), "large vehicle": (0, 127, 127), "small vehicle": (0, 0, 127), "helicopter": (0, 0, 191),
    "swimming pool": (0, 0, 255), "roundabout": (0, 191, 127), "soccer ball field": (0, 127, 191),
    "plane": (0, 127, 255), "harbor": (0, 100, 155),
}  # fmt: skip
# Read me of SUIM (Islam et al., IROS 2020).
_SUIM = {
    "waterbody": (0, 0, 0), "human diver": (0, 0, 255), "aquatic plant": (0, 255, 0), "wreck": (0, 255, 255),
    "robot": (255, 0, 0), "reef": (255, 0, 255), "fish": (255, 255, 0), "sea-floor": (255, 255, 255),
}  # fmt: skip
# label_colors.txt of CamVid (Brostow et al., 2008).
_CAMVID = {
    "Animal": (64, 128, 64), "Archway": (192, 0, 128), "Bicyclist": (0, 128, 192), "Bridge": (0, 128, 64),
    "Building": (128, 0, 0), "Car": (64, 0, 128), "CartLuggagePram": (64, 0, 192), "Child": (192, 128, 64),
    "Column_Pole": (192, 192, 128), "Fence": (64, 64, 128), "LaneMkgsDriv": (128, 0, 192),
    "LaneMkgsNonDriv": (192, 0, 64), "Misc_Text": (128, 128, 64), "MotorcycleScooter": (192, 0, 192),
    "OtherMoving": (128, 64, 64), "ParkingBlock": (64, 192, 128), "Pedestrian": (64, 64, 0), "Road": (128, 64, 128),
    "RoadShoulder": (128, 128, 192), "Sidewalk": (0, 0, 192), "SignSymbol": (192, 128, 128), "Sky": (128, 128, 128),
    "SUVPickupTruck": (64, 128, 192), "TrafficCone": (0, 0, 64), "TrafficLight": (0, 64, 64), "Train": (192, 64, 128),
    "Tree": (128, 128, 0), "Truck_Bus": (192, 128, 192), "Tunnel": (64, 0, 64), "VegetationMisc": (192, 192, 0),
    "Void": (0, 0, 0), "Wall": (64, 192, 0),
}  # fmt: skip


def voc_color(number: int) -> Color:
    """Color of a number in VOC's color map: three bits of the number make one bit of each channel, highest first."""
    bits = [[number >> (3 * step + channel) & 1 for step in range(8)] for channel in range(3)]
    red, green, blue = (sum(bit << (7 - step) for step, bit in enumerate(channel)) for channel in bits)
    return red, green, blue


def voc_legend(where: str, names: Iterable[str]) -> Legend:
    """Classes in VOC's colors, numbered from 0 on, with its border."""
    return legend_of(where, [Row(name, k, voc_color(k)) for k, name in enumerate(names)], [BORDER])


def placed(masks: Iterable[Path]) -> Legend | None:
    """The legend of a public set whose masks are numbers, if their folders are its own."""
    folders = {path.parent for path in masks}
    if folders and all(at.name == "masks_png" and at.parent.name in ("Urban", "Rural") for at in folders):
        return legend_of("LoveDA", [Row(name, number) for number, name in enumerate(_LOVEDA)])
    voc = [at.parent for at in folders if at.name == "SegmentationClass"]
    if voc and len(voc) == len(folders) and all((at / "ImageSets" / "Main").is_dir() for at in voc):
        return voc_legend("VOC", VOC)
    return None


def colored() -> list[Legend]:
    """The legends of public sets whose masks are colors. More than one may fit a set."""
    tables = {"Potsdam and Vaihingen": _ISPRS, "iSAID": _ISAID, "SUIM": _SUIM, "CamVid": _CAMVID}
    borders: dict[str, list[Color]] = {"Potsdam and Vaihingen": [(0, 0, 0)]}
    found = [
        legend_of(name, [Row(title, None, color) for title, color in table.items()], borders.get(name, []))
        for name, table in tables.items()
    ]
    return [voc_legend("VOC", VOC), *found]


def called(legend: Legend, mask: Path) -> bool:
    """Whether the path of a mask has a word of the set of a legend."""
    words = {"Potsdam and Vaihingen": ("potsdam", "vaihingen", "isprs", "top_mosaic")}
    return any(word in str(mask).lower() for word in words.get(legend.where, (legend.where.lower(),)))
