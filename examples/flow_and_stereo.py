"""A camera around a scene, with the optical flow from view to view; and stereo pairs with their disparity."""

import cv2
import numpy as np

import blendmill

config = {
    "extends": "smoke",
    "background": {"kind": "ground"},
    "camera": {"resolution": [160, 120], "views": 4, "path": {"kind": "turntable", "turn": 15}},
    "render": {"flow": True},
}
views = blendmill.render_set(config, "flow", images=4, seed=1)
first, second = views[0], views[1]
rows, columns = np.indices(first.depth.shape, np.float32)
flow = np.nan_to_num(first.flow)
moved = cv2.remap(second.rgb, columns + flow[..., 0], rows + flow[..., 1], cv2.INTER_LINEAR)  # looks like the first
hidden = ~first.seen_in(second)
blendmill.contact_sheet([first.rgb, second.rgb, moved, np.uint8(255 * hidden)], columns=4).save("flow.png")

config = {
    "extends": "smoke",
    "camera": {"resolution": [160, 120], "stereo": {"baseline": 0.06}},
}
pairs = blendmill.render_set(config, "stereo", images=4, seed=1)  # two scenes: left, right, left, right
left = pairs[0]
print("disparity of the object:", np.median(left.disparity[left.instance > 0]).round(2), "pixels")
left.show("disparity").save("stereo.png")
