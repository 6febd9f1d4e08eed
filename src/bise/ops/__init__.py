"""The few functions that must be fast, each beside its plain twin."""

from bise.ops.attention import attend, latent_absorbed, latent_expanded
from bise.ops.cross_entropy import cross_entropy
from bise.ops.experts import expert_mlp
from bise.ops.norm import rms_norm
from bise.ops.orthogonal import orthogonalise
from bise.ops.rotation import rotate

__all__ = [
    "attend",
    "cross_entropy",
    "expert_mlp",
    "latent_absorbed",
    "latent_expanded",
    "orthogonalise",
    "rms_norm",
    "rotate",
]
