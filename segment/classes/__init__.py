"""Many classes that exclude each other: their sets, crops, losses, metrics, evaluation and predictions."""
