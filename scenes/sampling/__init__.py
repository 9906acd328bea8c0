"""From a config, a seed and an index to the record of one picture."""
