"""Your own models: models/<class>/<any name>.glb, .obj, .ply, .fbx, … and one folder of textures, if you have one."""

import blendmill

config = blendmill.load_config(
    {
        "extends": "s2rda13",
        "assets": {"shapes": 0, "models": [{"path": "models", "layout": "class-folders"}]},
        "camera": {"resolution": [320, 240]},
    }
)
dataset = blendmill.render_set(config, "own_models", images=100, seed=1)

print(len(dataset), dataset.manifest.classes)
name = dataset.manifest.classes[0]
for frame in dataset.where(category=name)[:3]:
    print(frame.index, frame.objects[0].box, f"visible: {frame.objects[0].visibility:.0%}")
