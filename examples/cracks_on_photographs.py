"""Cracks painted over your photographs of surfaces without cracks (folder walls), as pictures and masks."""

import blendmill

config = {"renderer": "composite", "assets": {"textures": ["walls"]}, "resolution": [448, 448]}
dataset = blendmill.render_set(config, "cracks", images=100, seed=1)

cracked = dataset.where(category="crack")
print(f"{len(cracked)} of {len(dataset)} pictures show a crack")
blendmill.export_dataset(dataset, "crack_masks", "masks")  # img/ and mask/
