"""A lens with distortion: a pane before Blender's ideal camera that turns every ray to where the lens looks.

The pane's shader is Cycles' ray portal. The ray that arrives says for which place of the picture it is; an image holds
the direction that the lens sees there; and the ray goes on from the middle of the lens in that direction. So each
sample of a picture is a ray of the real lens, and no picture is bent afterwards: nothing is interpolated, nothing is
missing at the border, and the passes are those of the rays through the pixel centers. Blender has cameras with
polynomials for fisheyes, but none with tangential distortion or rectangular pixels.
"""

from __future__ import annotations

import bpy
import numpy as np
from mathutils import Matrix

from render.blender.materials.nodes import Nodes, Wire
from scenes.record.camera import Camera

# Depth of the pane, and from where its rays go on, in depths of the camera's near plane.
_DEPTH, _BEHIND = 1.02, 1.05
# Pixels around the picture for which the image has a direction, too. The pixel filter reaches 1.5 pixels.
_RIM = 4


class Lens:
    """The pane. The attribute `pane` is the object, to be shown where the camera has a distortion."""

    def __init__(self) -> None:
        mesh = bpy.data.meshes.new("lens")
        mesh.from_pydata([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)], [], [(0, 1, 2, 3)])
        self.pane = bpy.data.objects.new("lens", mesh)
        for kind in ("diffuse", "glossy", "transmission", "volume_scatter", "shadow"):
            setattr(self.pane, f"visible_{kind}", False)
        nodes = Nodes("blendmill.lens", shared=False)
        self._picture = nodes.add("TexImage", interpolation="Linear", extension="EXTEND").socket.node
        self._tree = nodes.finish(_portal(nodes, self._picture))
        self._dials = nodes.dials()
        material = bpy.data.materials.new("lens")
        material.use_nodes = True
        inside = material.node_tree.nodes
        group = inside.new("ShaderNodeGroup")
        group.node_tree = self._tree
        output = next(node for node in inside if node.type == "OUTPUT_MATERIAL")
        material.node_tree.links.new(group.outputs[0], output.inputs["Surface"])
        mesh.materials.append(material)
        self._shown: object = None

    def aim(self, camera: Camera, matrix: Matrix) -> None:
        """Set the pane before Blender's camera, which has a matrix in the world. An ideal lens needs none."""
        if camera.distortion is None:
            return
        k, depth = camera.intrinsics(), _DEPTH * camera.near
        focus = float(np.linalg.norm(np.subtract(camera.target, camera.location)))
        lens = (camera.distortion, *k[[0, 1, 0, 1], [0, 1, 2, 2]], camera.width, camera.height)
        if lens != self._shown:
            self._fill(camera)
            self._shown = lens
        size = (camera.width, camera.height) + 2 * np.array([_RIM, _RIM])
        values = {
            "focal": k[0, 0] / size[0], "steep": k[1, 1] / size[1],
            "x": (k[0, 2] + _RIM) / size[0], "y": (camera.height - k[1, 2] + _RIM) / size[1],
            "focus": focus, "start": _BEHIND * camera.near / focus,
        }  # fmt: skip
        for dials in self._dials:
            dials.turn(values)
        self._tree.update_tag()
        # Wide enough for all that the camera sees, from anywhere on its aperture.
        reach = depth * (max(camera.width, camera.height) * 2 / k[[0, 1], [0, 1]].min()) + depth
        aperture = camera.focal_length / 1000 / camera.fstop if camera.fstop > 0 else 0.0
        middle = depth * (np.array([camera.width, camera.height]) / 2 - k[:2, 2]) / k[[0, 1], [0, 1]]
        wide = reach + aperture + float(np.abs(middle).max())
        self.pane.matrix_world = matrix @ Matrix.Translation((0, 0, -depth)) @ Matrix.Diagonal((wide, wide, 1, 1))

    def _fill(self, camera: Camera) -> None:
        """Write the directions of the lens at the pixel centers, and at those around the picture, into the image."""
        x, y = np.meshgrid(
            np.arange(-_RIM, camera.width + _RIM) + 0.5, np.arange(-_RIM, camera.height + _RIM)[::-1] + 0.5
        )
        rays = camera.rays(np.column_stack([x.ravel(), y.ravel()]))
        pixels = np.ones((len(rays), 4), np.float32)
        pixels[:, :2] = rays[:, :2] * (1, -1)  # Blender's camera has y up
        height, width = x.shape
        old = self._picture.image
        image = bpy.data.images.new("lens", width, height, float_buffer=True, is_data=True)
        image.pixels.foreach_set(pixels.ravel())
        image.update()
        self._picture.image = image
        if old is not None:
            bpy.data.images.remove(old)


def _portal(nodes: Nodes, picture: bpy.types.Node) -> Wire:
    """The shader. Cycles' camera axes here: x right, y up, z forward."""

    def turned(vector: Wire, kind: str, to: str) -> Wire:
        ways = {"convert_from": "WORLD" if to == "CAMERA" else "CAMERA", "convert_to": to}
        return nodes.add("VectorTransform", {0: vector}, vector_type=kind, **ways)

    def scaled(vector: Wire, factor: Wire | float) -> Wire:
        return nodes.add("VectorMath", {0: vector, "Scale": factor}, operation="SCALE")

    at = turned(nodes.add("NewGeometry", out="Position"), "POINT", "CAMERA")
    came = turned(nodes.add("NewGeometry", out="Incoming"), "VECTOR", "CAMERA")
    _, _, ahead = nodes.split(came)
    _, _, depth = nodes.split(at)
    came = scaled(came, nodes.math("DIVIDE", 1.0, ahead))
    # Rays come from all over the aperture. Those for one place of the picture meet in the plane in focus.
    lens = at - scaled(came, depth)
    x, y, _ = nodes.split(came + scaled(lens, nodes.math("DIVIDE", 1.0, nodes["focus"])))
    place = nodes.xyz(x * nodes["focal"] + nodes["x"], y * nodes["steep"] + nodes["y"], 0.0)
    nodes.tree.links.new(place.socket, picture.inputs["Vector"])
    right, up, _ = nodes.split(Wire(nodes, picture.outputs["Color"]))
    away = scaled(nodes.xyz(right, up, 1.0), nodes["focus"]) - lens
    start = lens + scaled(away, nodes["start"])
    way = nodes.add("VectorMath", {0: turned(away, "VECTOR", "WORLD")}, operation="NORMALIZE")
    return nodes.add("BsdfRayPortal", {"Position": turned(start, "POINT", "WORLD"), "Direction": way})
