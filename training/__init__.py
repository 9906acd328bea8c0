"""The parts of training that all tasks share: the loop, data, checkpoints, run folders and studies."""
