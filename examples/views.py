"""Several views of each scene: objects, materials, light and background stay, the camera moves."""

import blendmill

config = {
    "extends": "tabletop-dense",
    "camera": {"views": 4, "resolution": [256, 192]},
}
dataset = blendmill.render_set(config, "views", images=8, seed=1)

pictures = [frame.rgb for frame in dataset]
blendmill.contact_sheet(pictures, columns=4, captions=[f"scene {k // 4}" for k in range(8)]).save("views.png")
