"""The training methods by their names in commands and configs."""

from __future__ import annotations

from classify.methods.adabn import AdaBN
from classify.methods.afn import AFN
from classify.methods.base import Method
from classify.methods.cdan import CDAN, CDANE
from classify.methods.coral import CORAL
from classify.methods.dan import DAN
from classify.methods.dann import DANN
from classify.methods.disclusterda import DisClusterDA
from classify.methods.dson import DSON
from classify.methods.fixmatch import FixMatch
from classify.methods.jan import JAN
from classify.methods.linear import Linear
from classify.methods.mcc import MCC
from classify.methods.mcd import MCD
from classify.methods.mdd import MDD
from classify.methods.mean_teacher import MeanTeacher
from classify.methods.mic import MIC
from classify.methods.rca import RCA
from classify.methods.shot import SHOT
from classify.methods.simclr import Contrastive
from classify.methods.srdc import SRDC

METHODS: dict[str, type[Method]] = {
    "source": Method,
    "dann": DANN,
    "cdan": CDAN,
    "cdan+e": CDANE,
    "mcd": MCD,
    "mdd": MDD,
    "dan": DAN,
    "jan": JAN,
    "afn": AFN,
    "mcc": MCC,
    "coral": CORAL,
    "adabn": AdaBN,
    "dson": DSON,
    "srdc": SRDC,
    "disclusterda": DisClusterDA,
    "rca": RCA,
    "shot": SHOT,
    "fixmatch": FixMatch,
    "mean-teacher": MeanTeacher,
    "mic": MIC,
}


def methods() -> dict[str, type[Method]]:
    """All training methods by name, also `simclr`, which pre-trains without labels, and `linear`, which trains the head
    alone."""
    return {**METHODS, "simclr": Contrastive, "linear": Linear}
