"""Probes: what a trained network says of the same pictures while one or two factors are swept."""
