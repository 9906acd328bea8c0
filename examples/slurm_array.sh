#!/usr/bin/env bash
#SBATCH --array=0-63 --cpus-per-task=8 --mem=12G --time=4:00:00
# A set drawn by 64 tasks. Each draws its own shards; a task that is given again draws only what is missing.
# When all have ended: blendmill merge "$SET"
set -eu
SET=${SET:-set}
blendmill render "${CONFIG:-s2rda13}" --out "$SET" --images "${IMAGES:-100000}" --seed 1 \
  --shard "$SLURM_ARRAY_TASK_ID/${TASKS:-64}" --workers "${SLURM_CPUS_PER_TASK:-1}"
