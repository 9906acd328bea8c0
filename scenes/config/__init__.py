"""What a YAML file may say: the config models, the presets, and how a config is read."""
