"""One scene, a change to it, and the picture with its labels."""

import blendmill

with blendmill.Studio("s2rda13", seed=1) as studio:  # a preset, a .yaml file or a dict
    scene = studio.sample(0)
    scene = blendmill.edited(
        scene,
        {
            "camera.focal_length": 60,
            "items.0.materials": {"*": blendmill.material("metal", roughness=0.2)},
        },
    )
    frame = studio.draw(scene)

print(frame.rgb.shape, frame.depth.min(), [label.category for label in frame.objects])
print(frame.pose(scene.items[0]))  # from the object to the camera
frame.show("depth", "instance", "normals").save("first_picture.png")  # in a notebook, frame.show() is enough
