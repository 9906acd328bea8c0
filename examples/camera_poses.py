"""A calibrated lens (rectangular pixels, shifted center) and given poses of the camera."""

import numpy as np

import blendmill

# Eight poses around the object, from the camera to the world, with OpenCV's axes: x right, y down, z forward.
poses = []
for angle in np.radians(np.arange(0, 360, 45)):
    eye = np.array([2.5 * np.sin(angle), -2.5 * np.cos(angle), 1.2])
    forward = (np.array([0, 0, 0.4]) - eye) / np.linalg.norm(np.array([0, 0, 0.4]) - eye)
    right = np.cross(forward, [0, 0, 1]) / np.linalg.norm(np.cross(forward, [0, 0, 1]))
    pose = np.eye(4)
    pose[:3] = np.column_stack([right, np.cross(forward, right), forward, eye])
    poses.append(pose)
np.save("poses.npy", poses)  # or transforms.json, as NeRF has it

config = {
    "objects": {"scale": 1},
    "camera": {
        "resolution": [320, 240],
        # OpenCV counts pixels from the middle of the first one; blendmill's labels from its corner.
        "intrinsics": {"fx": 380.0, "fy": 378.5, "cx": 161.3, "cy": 118.2, "first_pixel": 0},
        "poses": {"file": "poses.npy", "axes": "opencv"},
        "views": 8,  # each scene from all of the poses
    },
}
dataset = blendmill.render_set(config, "camera_poses", images=16, seed=1)
for frame in dataset[:8]:
    print(frame.index, frame.intrinsics[0, 0], np.linalg.inv(frame.world_to_camera)[:3, 3].round(2))
