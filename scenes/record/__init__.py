"""What decides one picture, as plain data: the Scene of a rendered one, the Composition of a composed one."""
