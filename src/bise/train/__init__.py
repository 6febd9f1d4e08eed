"""Makes weights: a run from nothing, or from where it stopped, to annealed weights."""

from bise.train.config import TrainConfig, override
from bise.train.limits import Limits
from bise.train.start import start
from bise.train.tokenizer import make_tokenizer

__all__ = ["Limits", "TrainConfig", "make_tokenizer", "override", "start"]
