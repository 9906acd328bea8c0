"""The ways to train a crack segmenter, one short file each."""
