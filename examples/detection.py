"""A set for detection and segmentation: many objects close together, as COCO and as YOLO."""

import blendmill

dataset = blendmill.render_set("tabletop-dense", "tabletop", images=100, seed=1)

blendmill.export_dataset(dataset, "tabletop_coco", "coco")  # boxes, RLE masks, polygons, keypoints
blendmill.export_dataset(dataset, "tabletop_yolo", "yolo-segment")  # yolo detect train data=…/data.yaml
