#!/bin/bash
# Draw a data set with a job array. Each task draws its part of the shards on one GPU.
#
#     sbatch --array=0-63 deploy/slurm.sh CONFIG OUT IMAGES [SEED]
#
# OUT is a folder that all nodes see, or a URL (s3://bucket/set). Five minutes before the time limit a task finishes the
# shards it has begun and requeues itself. Slurm requeues a task that is preempted.
#SBATCH --job-name=blendmill
#SBATCH --array=0-7
#SBATCH --gpus-per-task=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --mem=16G
#SBATCH --time=04:00:00
#SBATCH --signal=B:USR1@300
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=blendmill-%A_%a.log
set -euo pipefail

if (($# < 3)); then
    echo "usage: sbatch --array=0-63 slurm.sh CONFIG OUT IMAGES [SEED]" >&2
    exit 2
fi
config=$1 out=$2 images=$3 seed=${4:-0}

# The number of parts is the number of tasks: an array with holes would leave parts that nobody draws.
if ((SLURM_ARRAY_TASK_MIN != 0 || SLURM_ARRAY_TASK_MAX != SLURM_ARRAY_TASK_COUNT - 1)); then
    echo "slurm.sh: --array must count from 0 without holes, as 0-63" >&2
    exit 2
fi

blendmill render "$config" --out "$out" --images "$images" --seed "$seed" --device auto --workers auto \
    --shard "$((SLURM_ARRAY_TASK_ID))/$((SLURM_ARRAY_TASK_COUNT))" --json-logs &
child=$!

caught=0 again=0
# The time limit is near: finish the shards that have begun.
trap 'caught=1 again=1; kill -s INT "$child" || true' USR1
# Preempted or cancelled: stop now.
trap 'caught=1; kill -s TERM "$child" || true' TERM

while :; do
    caught=0
    code=0
    wait "$child" || code=$?
    ((caught)) || break # a signal ends `wait` early
done

if ((again && code != 0)); then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
