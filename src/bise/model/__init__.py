"""The network, and reading and writing its weights."""

from bise.model.calibrate import measure_activations
from bise.model.checkpoint import Checkpoint, load_network, open_checkpoint
from bise.model.config import ModelConfig
from bise.model.convert import Converted, convert
from bise.model.eagle import EagleConfig, EagleHead, News, draft, eagle_config
from bise.model.eagle_files import load_eagle, open_eagle, save_eagle, write_random_eagle
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
    "EagleConfig",
    "EagleHead",
    "ModelConfig",
    "Network",
    "News",
    "Report",
    "convert",
    "draft",
    "eagle_config",
    "fetch",
    "inspect",
    "load_eagle",
    "load_network",
    "locate",
    "measure_activations",
    "open_checkpoint",
    "open_eagle",
    "preset",
    "save_checkpoint",
    "save_eagle",
    "write_random",
    "write_random_eagle",
]
