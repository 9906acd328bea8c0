"""Data sets: shards, storage, manifests and exports."""
