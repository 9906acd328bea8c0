"""A film of objects that fall, with masks, and with the optical flow from view to view."""

import blendmill

config = {
    "extends": "tabletop-pile",
    "objects": {"count": 7, "pile": {"film": 3}},  # the last three seconds before all is at rest
    "camera": {"views": 12, "path": {"kind": "turntable", "turn": 30}, "framing": 0.7, "resolution": [192, 144]},
    "render": {"flow": True},
}
film = blendmill.render_set(config, "film", images=12, seed=1)  # 24 images are two films
film[0].show("instance", "flow").save("first.png")
blendmill.contact_sheet([view.rgb for view in film], columns=4).save("film.png")
