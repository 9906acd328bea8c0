"""A set for 6D poses, as BOP: a pile of objects, models in millimeters, and from each model to the camera its pose."""

import blendmill

config = {
    "classes": ["mug", "telephone", "camera"],
    "assets": {"shapes": 1},  # one mug, one telephone, one camera
    "objects": {"count": {"uniform": [4, 9]}, "scale": 0.3, "rotation": "free", "pile": {"present": True}},
    "camera": {"resolution": [320, 240], "elevation": {"uniform": [10, 80]}},
}
dataset = blendmill.render_set(config, "poses_6d", images=50, seed=1)
blendmill.export_dataset(dataset, "poses_6d_bop", "bop")

for thing in dataset[0].objects:  # the same poses are in the shards, as JSON
    box = " x ".join(f"{side:.3f}" for side in thing.extent)
    print(f"{thing.category}, {box} m, has its middle at", [round(row[3], 3) for row in thing.pose[:3]])
