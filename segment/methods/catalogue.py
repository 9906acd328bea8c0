"""The training methods by their names in commands and configs."""

from __future__ import annotations

from segment.methods.adabn import AdaBN
from segment.methods.dacs import DACS
from segment.methods.daformer import DAFormer
from segment.methods.fda import FDA
from segment.methods.fixmatch import FixMatch
from segment.methods.hrda import HRDA
from segment.methods.mean_teacher import MeanTeacher
from segment.methods.mic import HRDAMIC, MIC
from segment.methods.rounds import Rounds
from segment.methods.sense import SENSE
from segment.methods.supervised import Supervised

METHODS: dict[str, type[Supervised]] = {
    "supervised": Supervised,
    "adabn": AdaBN,
    "fda": FDA,
    "rounds": Rounds,
    "fixmatch": FixMatch,
    "mean-teacher": MeanTeacher,
    "dacs": DACS,
    "daformer": DAFormer,
    "mic": MIC,
    "hrda": HRDA,
    "hrda+mic": HRDAMIC,
    "sense": SENSE,
}
