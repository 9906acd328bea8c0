"""Drawing: the Blender stage, materials, labels, shards, exporters, jobs and the command's render half."""
