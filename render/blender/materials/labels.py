"""The node groups behind all materials: one cuts a surface by its opacity, one makes labels of the pixel's center."""

from __future__ import annotations

from render.blender.materials.nodes import Nodes, Wire
from render.blender.parts import ATTRIBUTE
from scenes.record.camera import Camera

# A surface counts as hit from this opacity on.
HALF = 0.5
# How far from the center of a pixel a ray may pass to be its first sample, in pixels. The numbers of a ray are off by a
# tenth of this in pictures of 4096 pixels. Of the other samples, one in thousands passes so near: it sees the same.
_NEAR = 0.005
# The same for the number of a part. Numbers of different parts have no mean, so fewer samples may pass so near. The
# first one passes at up to 0.0003 pixels (`tests/render/test_label_truth.py`).
_CLOSE = 0.001
# Pixels along a side from which on the numbers of rays need more than this.
_LARGE = 4096


class LabelNodes:
    """The two groups, which all materials share, and the values in them that change from picture to picture.

    They also change while Cycles keeps a scene, so Blender is told.

    cut: mixes "surface" by "opacity" with what is behind; its output "opacity" is what it used. center: the "normal" of
    a surface with "opacity", and the number of its "part", at the center of the pixel.
    """

    def __init__(self) -> None:
        cut, center = Nodes("blendmill.cut", shared=False), Nodes("blendmill.center", shared=False)
        opacity = cut.number_input("opacity")
        cut.opacity = cut.mix(cut["sharp"], opacity, _at_least_half(cut, opacity))
        clear = cut.add("BsdfTransparent", {"Color": (1.0, 1.0, 1.0)})
        surface = cut.add("MixShader", {0: cut.opacity, 1: clear, 2: cut.shader_input("surface")})
        self.cut = cut.finish(surface)
        away, there = _from_center(center), _at_least_half(center, center.number_input("opacity"))
        shading = center.add("NewGeometry", out="Normal")
        code = center.add("Attribute", out="Vector", attribute_name=ATTRIBUTE)
        for name, value, reach in (("normal", shading, "near"), (ATTRIBUTE, code, "close")):
            hit = center.math("LESS_THAN", away, center[reach]) * there
            center.output(name, center.tinted(value, hit))
        self.center = center.finish(None)
        self._sharp, self._aim = cut.dials(), center.dials()
        self._aimed: dict[str, float] = {}

    def aim(self, camera: Camera) -> None:
        """Tell the materials where the centers of the pixels are.

        Behind a lens with distortion, rays do not tell their pixel. All count, so only a single sample is right.
        """
        k = camera.intrinsics()
        near, close = (_NEAR, _CLOSE) if camera.distortion is None else (1.0, 1.0)
        values = {
            "focal": k[0, 0],
            "steep": k[1, 1],
            "x": k[0, 2],
            "y": camera.height - k[1, 2],  # Blender's camera has y up.
            "near": near,
            "close": close * max(1.0, camera.width / _LARGE, camera.height / _LARGE),
        }
        if values == self._aimed:
            return
        self._aimed = values
        for dials in self._aim:
            dials.turn(values)
        self.center.update_tag()

    def sharpen(self, sharp: bool) -> None:
        """Make surfaces opaque from half opacity on, and leave them out below; or take their opacity as it is."""
        for dials in self._sharp:
            dials.turn({"sharp": sharp})
        self.cut.update_tag()


def _from_center(tree: Nodes) -> Wire:
    """How many pixels the sample is off the pixel's center. AOVs add up all samples of a pixel.

    Each node costs time at every first hit, and vectors need fewer of them than numbers.
    """
    way = tree.add(
        "VectorTransform",
        {0: tree.add("NewGeometry", out="Incoming")},
        vector_type="VECTOR",
        convert_from="WORLD",
        convert_to="CAMERA",
    )
    *_, depth = tree.split(way)
    per_unit, middle = tree.xyz(tree["focal"], tree["steep"], 0.0), tree.xyz(tree["x"], tree["y"], 0.0)
    pixels = tree.math("MULTIPLY_ADD", way / depth, per_unit, middle)
    return tree.distance(tree.math("FRACTION", pixels), (0.5, 0.5, 0.0))


def _at_least_half(tree: Nodes, opacity: Wire) -> Wire:
    return 1.0 - tree.math("LESS_THAN", opacity, HALF)
