"""What every training needs and no task owns: the loop, data, checkpoints, run folders, studies."""
