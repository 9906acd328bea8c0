"""What is on surfaces and is no crack: joints, marks, seals, litter, covers, shadows."""

from __future__ import annotations

from scenes.config.surface import Covers, Joints, LitterFactor, Marks, Seals, Shades, SurfaceFactor
from scenes.distributions import LogUniform, Uniform
from scenes.materials.albedo import brightened, mean_color
from scenes.materials.families import mix, parsed
from scenes.materials.roles import draw
from scenes.record.scene import Joint, Litter, Material, Seal, Shade
from scenes.sampling.draw import Draw

_MADE_OF = {"twig": "bark", "cable": "rubber", "leaf": "foliage", "pebble": "stone"}

# Fallen ones.
_LEAVES = parsed(hue=Uniform(0.05, 0.25), saturation=Uniform(0.25, 0.65), value=Uniform(0.2, 0.55))

# Cast iron, dull and dusty as it lies in roads.
_IRON = parsed(
    hue=Uniform(0.03, 0.1), saturation=Uniform(0, 0.18), value=Uniform(0.1, 0.32), stains=Uniform(0.3, 1),
    pores=Uniform(0, 0.1), scale=Uniform(3, 8),
)  # fmt: skip

_FILLER = ("roughness", "amount", "grain", "contrast", "proud")
_COLOR = ("hue", "saturation", "value")

# Marks by kind. width, soft (the fading edge) and length (0: across the patch) in pixels; bend: how far from straight;
# wear: share that came off; amount: how much it covers.
MARKS = {
    "paint": parsed(
        width=Uniform(50, 140), soft=Uniform(0.5, 2), length=0, bend=0, wear=Uniform(0.1, 0.8),
        amount=Uniform(0.6, 0.95), hue=mix((0.7, 0.12), (0.3, Uniform(0.0, 0.65))),
        saturation=mix((0.6, 0.03), (0.4, Uniform(0.4, 0.8))), value=Uniform(0.6, 0.9),
    ),
    "scratch": parsed(
        width=Uniform(0.5, 1.6), soft=Uniform(0.3, 1.0), length=LogUniform(40, 300), bend=Uniform(0, 0.5),
        wear=Uniform(0.2, 0.7), amount=Uniform(0.2, 0.7), hue=0.1, saturation=0.05,
        value=mix((0.5, Uniform(0.15, 0.35)), (0.5, Uniform(0.7, 0.95))),
    ),
    "tyre": parsed(
        width=Uniform(50, 130), soft=Uniform(8, 30), length=0, bend=Uniform(0, 0.3), wear=Uniform(0.3, 0.8),
        amount=Uniform(0.2, 0.6), hue=0.1, saturation=0.05, value=Uniform(0.1, 0.2),
    ),
    "stain": parsed(
        width=Uniform(20, 120), soft=Uniform(2, 30), length=Uniform(1, 60), bend=Uniform(0.5, 1.5),
        wear=Uniform(0, 0.6), amount=Uniform(0.1, 0.6), hue=Uniform(0.03, 0.14), saturation=Uniform(0.1, 0.6),
        value=Uniform(0.1, 0.45),
    ),
}  # fmt: skip


class ExtrasDraw(Draw):
    """The part of a scene's draw that concerns what is on a surface and is no crack."""

    def number(self, name: str, section: Joints | Marks | LitterFactor | Shades | Seals | Covers) -> int:
        return self.count(f"surface.{name}.count", section.count)

    def across(self, key: str, span: float) -> float:
        """A place along an axis of the picture, mm from its middle."""
        return (self.streams.quantile(key) - 0.5) * span

    def joint(self, factor: SurfaceFactor, k: int, pixel: float, span: float) -> Joint:
        key, joints = f"surface.joints.{k}", factor.joints
        width = self.value(f"{key}.width", joints.width) * pixel
        upright = 90.0 if self.streams.quantile(f"{key}.upright") < 0.5 else 0.0
        return Joint(
            angle=upright + self.value(f"{key}.turn", joints.turn),
            offset=self.across(f"{key}.offset", span),
            width=width,
            depth=self.value(f"{key}.depth", joints.depth) * width,
        )

    def mark(self, factor: SurfaceFactor, k: int, pixel: float, span: float) -> Material:
        key = f"surface.marks.{k}"
        kind = self.value(f"{key}.kind", factor.marks.kind)
        scale = self.value(f"{key}.size", factor.marks.size) * pixel
        drawn = {name: self.value(f"{key}.{kind}.{name}", distribution) for name, distribution in MARKS[kind].items()}
        lengths = {name: drawn[name] * scale for name in ("width", "soft", "length")}
        place = {axis: self.across(f"{key}.{axis}", span) for axis in "xy"}
        turn = {name: self.streams.quantile(f"{key}.{name}") for name in ("angle", "seed")}
        return Material("mark", {**drawn, **lengths, **place, "angle": 360 * turn["angle"], "seed": 50 * turn["seed"]})

    def thing(self, factor: SurfaceFactor, k: int, pixel: float, span: float) -> Litter:
        key = f"surface.litter.{k}"
        kind = self.value(f"{key}.kind", factor.litter.kind)
        return Litter(
            kind=kind,
            x=self.across(f"{key}.x", span),
            y=self.across(f"{key}.y", span),
            angle=360 * self.streams.quantile(f"{key}.angle"),
            size=self.value(f"{key}.size", factor.litter.size) * pixel,
            material=draw(_MADE_OF[kind], self.streams, f"{key}.material", _LEAVES if kind == "leaf" else None),
        )

    def shade(self, factor: SurfaceFactor, k: int, pixel: float, span: float) -> Shade:
        key, shades = f"surface.shades.{k}", factor.shades
        return Shade(
            kind=self.value(f"{key}.kind", shades.kind),
            angle=360 * self.streams.quantile(f"{key}.angle"),
            offset=self.across(f"{key}.offset", span),
            size=self.value(f"{key}.size", shades.size) * pixel,
            distance=self.value(f"{key}.distance", shades.distance),
        )

    def seal(self, factor: SurfaceFactor, k: int, pixel: float) -> Seal:
        key, seals = f"surface.seals.{k}", factor.seals
        width = self.value(f"{key}.width", seals.width) * pixel
        return Seal(
            kind=self.value(f"{key}.kind", seals.kind),
            width=width,
            height=self.value(f"{key}.height", seals.height) * width,
        )

    def filler(self, factor: SurfaceFactor, around: Material, pixel: float, sealed: bool) -> Material:
        """What all seals of the surface are filled with or, where there are none, its healed cracks."""
        drawn = {name: self.value(f"surface.seals.{name}", getattr(factor.seals, name)) for name in _FILLER}
        drawn |= {name: drawn[name] * pixel for name in ("grain", "proud")}
        if sealed:
            drawn |= {name: self.value(f"surface.seals.{name}", getattr(factor.seals, name)) for name in _COLOR}
        else:
            hue, saturation, value = mean_color(around)
            times = self.value("surface.crack.healed_tone", factor.crack.healed_tone)
            drawn |= {"hue": hue, "saturation": 0.8 * saturation, "value": brightened(value, times)}
        # With the surface's own seed its stains go on across the filler.
        own = {"stains": 0.3, "seed": 50 * self.streams.quantile("surface.seals.seed")}
        return Material("filler", {**drawn, **{name: around.parameters.get(name, own[name]) for name in own}})

    def cover(self, factor: SurfaceFactor, k: int, pixel: float, span: float) -> Litter:
        key = f"surface.covers.{k}"
        return Litter(
            kind=self.value(f"{key}.kind", factor.covers.kind),
            x=self.across(f"{key}.x", 1.5 * span),
            y=self.across(f"{key}.y", 1.5 * span),
            angle=360 * self.streams.quantile(f"{key}.angle"),
            size=self.value(f"{key}.size", factor.covers.size) * pixel,
            material=draw("concrete", self.streams, f"{key}.material", _IRON),
        )
