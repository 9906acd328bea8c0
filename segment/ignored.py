"""The label of pixels that count nowhere. It stands alone, so that reading masks needs no PyTorch."""

IGNORED = 255
