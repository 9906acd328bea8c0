"""The node groups behind all materials: one cuts a surface by its opacity, one makes the normal for the labels."""

from __future__ import annotations

from render.blender.materials.nodes import Nodes, Wire
from scenes.record.camera import Camera

# A surface counts as hit from this opacity on.
HALF = 0.5
# How far from the center of a pixel a ray may pass to be its first sample, in pixels. The numbers of a ray are off by a
# tenth of this in pictures of 4096 pixels. Of the other samples, one in thousands passes so near: it sees the same.
_NEAR = 0.005


class LabelNodes:
    """The two groups, which all materials share, and the values in them that change from picture to picture.

    They also change while Cycles keeps a scene, so Blender is told.

    cut: mixes "surface" by "opacity" with what is behind; its output "opacity" is what it used. normal: the "normal" of
    a surface with "opacity", at the center of the pixel.
    """

    def __init__(self) -> None:
        cut, normal = Nodes("blendmill.cut", shared=False), Nodes("blendmill.normal", shared=False)
        opacity = cut.number_input("opacity")
        cut.opacity = cut.mix(cut["sharp"], opacity, _at_least_half(cut, opacity))
        clear = cut.add("BsdfTransparent", {"Color": (1.0, 1.0, 1.0)})
        surface = cut.add("MixShader", {0: cut.opacity, 1: clear, 2: cut.shader_input("surface")})
        self.cut = cut.finish(surface)
        hit = _at_center(normal) * _at_least_half(normal, normal.number_input("opacity"))
        shading = normal.add("NewGeometry", out="Normal")
        normal.output("normal", normal.add("VectorMath", {0: shading, "Scale": hit}, operation="SCALE"))
        self.normal = normal.finish(None)
        self._sharp, self._aim = cut.dials(), normal.dials()
        self._aimed: dict[str, float] = {}

    def aim(self, camera: Camera) -> None:
        """Tell the materials where the centers of the pixels are.

        Behind a lens with distortion, rays do not tell their pixel. All count, so only a single sample is right.
        """
        k = camera.intrinsics()
        near = _NEAR if camera.distortion is None else 1.0
        # Blender's camera has y up.
        values = {"focal": k[0, 0], "steep": k[1, 1], "x": k[0, 2], "y": camera.height - k[1, 2], "near": near}
        if values == self._aimed:
            return
        self._aimed = values
        for dials in self._aim:
            dials.turn(values)
        self.normal.update_tag()

    def sharpen(self, sharp: bool) -> None:
        """Make surfaces opaque from half opacity on, and leave them out below; or take their opacity as it is."""
        for dials in self._sharp:
            dials.turn({"sharp": sharp})
        self.cut.update_tag()


def _at_center(tree: Nodes) -> Wire:
    """1 for the sample through the center of the pixel, else 0. AOVs add up all samples of a pixel."""
    way = tree.add(
        "VectorTransform",
        {0: tree.add("NewGeometry", out="Incoming")},
        vector_type="VECTOR",
        convert_from="WORLD",
        convert_to="CAMERA",
    )
    x, y, z = tree.split(way)
    aside = [
        tree.math("ABSOLUTE", tree.fract(along / z * tree[focal] + tree[center]) - 0.5)
        for along, focal, center in ((x, "focal", "x"), (y, "steep", "y"))
    ]
    return tree.math("LESS_THAN", tree.math("MAXIMUM", *aside), tree["near"])


def _at_least_half(tree: Nodes, opacity: Wire) -> Wire:
    return 1.0 - tree.math("LESS_THAN", opacity, HALF)
