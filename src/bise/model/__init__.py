"""The network, and reading and writing its weights."""

from bise.model.calibrate import measure_activations
from bise.model.checkpoint import Checkpoint, load_network, open_checkpoint
from bise.model.config import ModelConfig
from bise.model.convert import Converted, convert
from bise.model.hub import fetch, locate
from bise.model.inspect import Report, inspect
from bise.model.network import Network
from bise.model.presets import PRESETS, preset
from bise.model.random_weights import write_random
from bise.model.write import save_checkpoint

__all__ = [
    "PRESETS",
    "Checkpoint",
    "Converted",
    "ModelConfig",
    "Network",
    "Report",
    "convert",
    "fetch",
    "inspect",
    "load_network",
    "locate",
    "measure_activations",
    "open_checkpoint",
    "preset",
    "save_checkpoint",
    "write_random",
]
