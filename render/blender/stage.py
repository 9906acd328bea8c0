"""The stage: one Blender scene that is kept and rearranged for each picture."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

import bpy
import numpy as np
from mathutils import Matrix
from numpy.typing import NDArray

from render.blender import engine, parts
from render.blender.background import CATCHER, Surroundings
from render.blender.decal import DecalMaker, middle, overlays
from render.blender.lens import Lens
from render.blender.lights import Lamps, Sky
from render.blender.materials.palette import Palette
from render.blender.meshes import MeshStore, Uploaded
from render.blender.surface import SurfacePatch, crack_labels, hairlines, lines
from render.frame import Frame
from render.image.camera_response import MID_GRAY, apply_camera_response, metered_gain
from render.image.clean_plate import BACKDROPS, plate
from render.image.crop_window import Window, window
from render.image.decal_tone import brightness
from render.image.decal_width import on_surface
from render.image.enlarging import enlarged
from render.image.flow import disparity, optical_flow
from render.image.illumination import matte_white
from render.image.labels import object_labels
from render.image.surroundings import with_surroundings
from render.object_label import ObjectLabel
from render.settings import DrawSettings
from scenes.assets.catalogue import Catalogue
from scenes.cracks.contour import Contour
from scenes.errors import InputError
from scenes.materials.roles import LIQUIDS
from scenes.record.camera import Camera
from scenes.record.material import Material
from scenes.record.scene import Item, Scene
from scenes.record.surface import Decal
from scenes.streams import Streams

# Blender's camera looks along -z with y up, OpenCV's along +z with y down.
_TO_BLENDER = np.diag([1.0, -1.0, -1.0, 1.0])


class Stage:
    """Draws Scenes. A process has one Stage, because Blender has only one global state.

    classes: class names in label order.
    """

    def __init__(self, settings: DrawSettings, catalogue: Catalogue, classes: tuple[str, ...]):
        self.settings, self.catalogue = settings, catalogue
        self._label = {name: k for k, name in enumerate(classes)}
        self._scene = engine.start(settings)
        self._file = _scratch() / f"blendmill-{os.getpid()}.exr"
        self._meshes = MeshStore(catalogue.model)
        self._palette = Palette(catalogue.texture_set)
        self._window: Window | None = None
        self._built: Scene | None = None
        self._props: list[bpy.types.Object] = []
        self._empty = bpy.data.meshes.new("empty")
        self._lamps = Lamps()
        self._sky = Sky(self._scene, catalogue.path)
        self._surroundings = Surroundings(self._palette)
        self._patch = SurfacePatch(self._palette)
        self._decal = DecalMaker()
        self._foreground = bpy.data.objects.new(engine.FOREGROUND, None)
        self._camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
        self._lens = Lens()
        self._scene.camera = self._camera

    def draw(self, scene: Scene) -> Frame:
        """Draw a scene: the picture with all its labels."""
        if self._built is None or not _same_place(scene, self._built):
            self.build(scene)
        else:
            self._aim(scene)
        return self.picture(scene)

    def save(self, scene: Scene, path: Path) -> None:
        """Write a scene as a .blend file with all its pictures, to look into with Blender."""
        self.build(scene)
        self._scene.render.engine = "CYCLES"
        for mesh in bpy.data.meshes:
            mesh.update(calc_edges=True)
        with engine.silence():
            bpy.ops.file.pack_all()
            # Blender would write a relative path below the folder in which it was started.
            bpy.ops.wm.save_as_mainfile(filepath=str(path.absolute()), copy=True, compress=True)

    def build(self, scene: Scene) -> None:
        """Arrange Blender's scene as the Scene says."""
        self._forget(keep=self.settings.keep)
        self._palette.release()
        # Blender deletes an object together with its mesh, so no object may use a mesh that the store frees.
        for prop in self._props:
            prop.data = self._empty
        self._meshes.trim()
        # On a surface, the guides of the denoiser stay unfiltered. Otherwise pixel-sized grain would be lost.
        self._scene.cycles.denoising_prefilter = "NONE" if scene.surface else "FAST"
        # The limit is above the light on any white wall. It removes fireflies: single rays that hit a bright light.
        self._scene.cycles.sample_clamp_direct = 12.0 if scene.surface else 0.0
        self._sky.set(scene.world, fine=scene.surface is not None)
        items = self._place_items(scene)
        behind = [*self._surroundings.set(scene), *self._patch.set(scene)]
        self._show([*self._seen_through(scene.camera), *behind, *items, *self._lamps.set(scene.lights)])
        self._aim(scene)
        # Pictures of other configs seldom show a scene twice.
        self._built = scene if self.settings.keep else None

    def _forget(self, keep: bool) -> None:
        """Begin anew, before objects come or go. keep: whether Cycles keeps what it gets from now on."""
        self._built = None
        engine.renew(self._scene, keep)

    def _aim(self, scene: Scene) -> None:
        """Point the camera at the arranged scene."""
        self._window = window(scene, self.catalogue.info)
        self._place_camera(scene.camera)
        self._lens.aim(scene.camera, self._camera.matrix_world)
        self._palette.labels.aim(scene.camera)

    def render(self) -> engine.Passes:
        """Render the arranged scene once."""
        return engine.draw(self._scene, self._file, self._window)

    def picture(self, scene: Scene) -> Frame:
        """Draw the arranged scene and label it."""
        passes = self.render()
        # The lips of a decal run through triangles, so only a single sample separates inside from outside.
        blurred = scene.camera.fstop > 0 or scene.camera.distortion or scene.decal or self._palette.soft
        exact = self._sharp_labels(scene) if blurred else passes
        instance = exact["material" if scene.surface else "object"].astype(np.uint16)
        # The shadow catcher is invisible, so its pixels count as not hit.
        caught = instance == CATCHER
        instance[caught] = 0
        depth = with_surroundings(np.where(caught, np.float32(np.inf), exact["depth"]), instance, scene)
        linear, clean = self._composed(scene, passes)
        subject = None if scene.surface else instance > 0
        weight = passes["combined"][..., 3] if scene.background.kind == "none" else np.ones_like(depth)
        gain = metered_gain(self._metered(scene, passes, linear), weight, scene.sensor, subject)
        alpha = np.round(np.clip(passes["coverage" if scene.surface else "foreground"], 0, 1) * 255).astype(np.uint8)
        width = skeleton = None
        if scene.surface:
            width, skeleton = lines(scene, self._patch.contour, alpha > 0)
            instance[hairlines(width, depth, scene.camera)] = 0
        motion = (instance, scene.next_poses) if scene.next_poses else None
        frame = Frame(
            rgb=self._developed(linear, scene, gain, 1 - passes["combined"][..., 3]),
            depth=depth,
            instance=instance,
            category=self._categories(scene)[instance],
            part=np.where(instance > 0, self._parts(scene, exact, instance), 0).astype(np.uint16),
            normals=_camera_normals(exact["normal"], depth, scene.camera),
            alpha=alpha,
            background=None if clean is None else self._developed(clean, scene, gain, np.ones_like(depth)),
            intrinsics=scene.camera.intrinsics(),
            world_to_camera=scene.camera.world_to_camera(),
            index=scene.index,
            label=self._label.get(scene.main.category, -1) if scene.main else int(instance.any()) - 1,
            objects=crack_labels(instance) if scene.surface else self._object_labels(scene, instance),
            scene=scene,
            flow=optical_flow(depth, scene, scene.next_camera, motion) if self.settings.flow else None,
            disparity=None if scene.baseline is None else disparity(depth, scene),
            width=width,
            skeleton=skeleton,
        )
        if scene.decal is None:
            return frame
        return _cracked(frame, scene, scene.decal, self._decal.contour, passes["crack"], exact["crack"])

    # Arranging -------------------------------------------------------------------------------------------------

    def _show(self, objects: list[bpy.types.Object]) -> None:
        """Link exactly these objects, in this order: the order decides how Cycles picks lamps at random."""
        linked = self._scene.collection.objects
        for old in list(linked):
            linked.unlink(old)
        for new in objects:
            linked.link(new)

    def _seen_through(self, camera: Camera) -> list[bpy.types.Object]:
        return [self._camera] if camera.distortion is None else [self._camera, self._lens.pane]

    def _place_items(self, scene: Scene) -> list[bpy.types.Object]:
        while len(self._props) < len(scene.items):
            self._props.append(bpy.data.objects.new(f"item.{len(self._props):02d}", self._empty))
            self._props[-1].parent = self._foreground
        field = self._decal.set(scene, scene.decal) if scene.decal else None
        for number, (prop, item) in enumerate(zip(self._props, scene.items, strict=False), start=1):
            uploaded = self._meshes.get(item.asset)
            prop.data = uploaded.mesh
            prop.matrix_world = Matrix(item.matrix())
            prop.pass_index = number
            prop.hide_render = False
            self._dress(prop, item, uploaded, scene.decal if item is scene.main else None, field)
        return self._props[: len(scene.items)]

    def _dress(
        self,
        prop: bpy.types.Object,
        item: Item,
        uploaded: Uploaded,
        decal: Decal | None,
        pictures: Mapping[str, bpy.types.Image] | None,
    ) -> None:
        """Give each part of an item its material. Parts that look the same share one."""
        info = self.catalogue.info(item.asset)
        shared: dict[Hashable, bpy.types.Material] = {}
        for slot, (socket, name) in enumerate(zip(prop.material_slots, info.parts, strict=True)):
            material, look = _material(item, name, info.roles[name]), uploaded.appearances[slot]
            cracked = decal is not None and info.roles[name] not in LIQUIDS
            same = slot if material.family == "own" else (id(material), cracked)
            if same not in shared:
                over = overlays(decal, item.scale, brightness(material, look)) if decal and cracked else ()
                shared[same] = self._palette.checkout(
                    material, appearance=look, colored=uploaded.colored[slot], overlays=over, pictures=pictures
                )
            socket.link = "OBJECT"
            socket.material = shared[same]

    def _place_camera(self, camera: Camera) -> None:
        render, lens = self._scene.render, self._camera.data
        render.resolution_x, render.resolution_y, render.resolution_percentage = camera.width, camera.height, 100
        _set_lens(render, lens, camera)
        distance = float(np.linalg.norm(np.subtract(camera.target, camera.location)))
        lens.clip_start, lens.clip_end = camera.near, distance * 1e3 + 1e3
        lens.dof.use_dof = camera.fstop > 0
        if camera.fstop > 0:
            lens.dof.aperture_fstop, lens.dof.focus_distance = camera.fstop, distance
        self._camera.matrix_world = Matrix(np.linalg.inv(camera.world_to_camera()) @ _TO_BLENDER)

    # Drawing ---------------------------------------------------------------------------------------------------

    def _sharp_labels(self, scene: Scene) -> engine.Passes:
        """Render the labels without blur: one sample through a pinhole camera, surfaces there or not."""
        cycles, lens = self._scene.cycles, self._camera.data
        kept = cycles.samples, cycles.use_denoising
        cycles.samples, cycles.use_denoising, lens.dof.use_dof = 1, False, False
        self._palette.labels.sharpen(True)
        try:
            return self.render()
        finally:
            self._palette.labels.sharpen(False)
            (cycles.samples, cycles.use_denoising), lens.dof.use_dof = kept, scene.camera.fstop > 0

    def _parts(self, scene: Scene, exact: engine.Passes, instance: NDArray[np.uint16]) -> NDArray:
        """The (H, W) numbers of the parts, as far as there is an instance. exact: passes without blur."""
        if scene.surface:
            return exact["material"]
        number, sure = parts.decoded(exact["part"])
        if sure[instance > 0].all():
            return number
        # Two samples passed so near to the center of a pixel, and saw different parts.
        return parts.decoded(self._sharp_labels(scene)["part"])[0]

    def _object_labels(self, scene: Scene, instance: NDArray[np.uint16]) -> tuple[ObjectLabel, ...]:
        cutouts = self._cutouts(scene)
        # The catalogue would read again the models that it did not keep.
        labels = object_labels(scene, instance, self.catalogue.info, lambda i: self._meshes.get(i).geometry, cutouts)
        return tuple(replace(label, glass=self._glass(label)) for label in labels)

    def _glass(self, label: ObjectLabel) -> tuple[str, ...]:
        slots = self._props[label.instance - 1].material_slots
        clear = [self._palette.is_glass(slot.material) for slot in slots]
        return tuple(name for name, is_clear in zip(label.parts, clear, strict=False) if is_clear)

    def _cutouts(self, scene: Scene) -> dict[int, Callable[[], NDArray[np.bool_]]]:
        """For each item with an opacity, the function that draws its mask without all other objects."""
        return {
            number: partial(self._alone, scene, prop)
            for number, prop in enumerate(self._props[: len(scene.items)], start=1)
            if any(self._palette.is_cut(slot.material) for slot in prop.material_slots)
        }

    def _alone(self, scene: Scene, prop: bpy.types.Object) -> NDArray[np.bool_]:
        self._forget(keep=False)
        self._show([*self._seen_through(scene.camera), prop])
        prop.hide_render = False
        return np.asarray(self._sharp_labels(scene)["object"] == prop.pass_index)

    def _composed(self, scene: Scene, passes: engine.Passes) -> tuple[NDArray, NDArray | None]:
        """Scene-linear light of the picture with its background, and of the clean plate or None if it is not wanted."""
        lit = matte_white(scene, self.catalogue.path) if scene.background.kind == "color" else 1.0
        behind = plate(scene, self.catalogue.path, lit)
        linear = _over(passes["combined"], behind)
        if not self.settings.plate:
            return linear, None
        if scene.background.kind not in ("ground", "room"):
            return linear, behind
        self._forget(keep=False)
        for prop in self._props:
            prop.hide_render = True
        return linear, _over(self.render()["combined"], behind)

    def _metered(self, scene: Scene, passes: engine.Passes, linear: NDArray) -> NDArray:
        """The light that the meter sees: in place of a plain backdrop, whose color is chosen freely, a gray card."""
        if scene.background.kind not in BACKDROPS:
            return linear
        card = MID_GRAY * matte_white(scene, self.catalogue.path)
        return _over(passes["combined"], np.full_like(linear, card))

    def _developed(self, linear: NDArray, scene: Scene, gain: float, ground: NDArray) -> NDArray[np.uint8]:
        """The picture of the light. ground: the (H, W) share of each pixel that is background."""
        if scene.surface:
            linear = enlarged(linear, scene.surface.zoom)
        noise = Streams(scene.seed, scene.index).generator("sensor.grain")
        white = ground if scene.background.kind == "white" else None
        return apply_camera_response(linear, scene.sensor, gain, noise, white)

    def _categories(self, scene: Scene) -> NDArray[np.uint16]:
        """Category ids by instance id. Objects of unlisted classes count as background."""
        if scene.surface:
            return np.array([0, 1], dtype=np.uint16)
        return np.array([0] + [self._label.get(item.category, -1) + 1 for item in scene.items], dtype=np.uint16)


def _same_place(scene: Scene, built: Scene) -> bool:
    """Whether a scene is another view of the one that is arranged. The pane before the lens is a part of it."""
    pane = scene.camera.distortion is not None, built.camera.distortion is not None
    names = ("camera", "next_camera", "next_poses", "index")
    view = {name: getattr(scene, name) for name in names}
    return pane[0] == pane[1] and scene == replace(built, **view)  # type: ignore[arg-type]


def _set_lens(render: bpy.types.RenderSettings, lens: bpy.types.Camera, camera: Camera) -> None:
    """Give Blender's camera the intrinsics of ours.

    Blender measures the sensor, and the shift of its middle, along one side of the picture, here the longer one. Pixels
    are stretched by two factors that are at least 1.
    """
    wide = camera.width >= camera.height
    lens.sensor_fit = "HORIZONTAL" if wide else "VERTICAL"
    lens.sensor_width = lens.sensor_height = 36.0
    lens.lens = camera.focal_length if wide else camera.focal_length * camera.aspect
    render.pixel_aspect_x, render.pixel_aspect_y = max(camera.aspect, 1.0), max(1 / camera.aspect, 1.0)
    side = camera.width * render.pixel_aspect_x if wide else camera.height * render.pixel_aspect_y
    x, y = camera.center or (camera.width / 2, camera.height / 2)
    lens.shift_x = (camera.width / 2 - x) * render.pixel_aspect_x / side
    lens.shift_y = (y - camera.height / 2) * render.pixel_aspect_y / side


def _material(item: Item, part: str, role: str) -> Material:
    found = item.materials.get("*") or item.materials.get(role)
    if found is None:  # somebody edited the scene
        raise InputError(f"object '{item.asset}': no material for its part '{part}'; give one for '{role}' or for '*'")
    return found


def _over(combined: NDArray, behind: NDArray) -> NDArray:
    alpha = combined[..., 3:4]
    # The denoiser lets light spill over silhouettes. It is removed where no surface was hit.
    return np.asarray(np.where(alpha > 0, combined[..., :3], 0) + (1 - alpha) * behind, dtype=np.float32)


def _cracked(frame: Frame, scene: Scene, decal: Decal, contour: Contour, blended: NDArray, exact: NDArray) -> Frame:
    """Set category, alpha, width and skeleton to those of the crack. Instance and part stay those of the object."""
    inside = (exact[..., 0] > 0.5) & (frame.instance > 0)
    width = np.where(inside, exact[..., 1], np.float32(0))
    return replace(
        frame,
        category=inside.astype(np.uint16),
        alpha=np.round(np.clip(blended[..., 0], 0, 1) * 255).astype(np.uint8),
        label=int(inside.any()) - 1,
        width=on_surface(width, scene, contour, frame.depth, frame.normals).astype(np.float16),
        skeleton=middle(inside & (exact[..., 2] < 0.75 * decal.pixel)),
    )


def _camera_normals(normal: NDArray, depth: NDArray, camera: Camera) -> NDArray[np.float16]:
    turned = normal @ camera.world_to_camera()[:3, :3].T.astype(np.float32)
    length = np.linalg.norm(turned, axis=-1, keepdims=True)
    seen = np.isfinite(depth)[..., None] & (length > 1e-6)
    return np.where(seen, turned / np.maximum(length, 1e-6), 0).astype(np.float16)


def _scratch() -> Path:
    """The folder for the file of each render: $TMPDIR if it is set, else a folder in memory if there is one."""
    if "TMPDIR" in os.environ:
        return Path(os.environ["TMPDIR"])
    shm = Path("/dev/shm")
    return shm if shm.is_dir() and os.access(shm, os.W_OK) else Path(tempfile.gettempdir())
