"""The rules, one module a kind of operator; importing this enters them all.

They are written in terms of ``tacit.*`` functions on secret arrays, so they compute at once on the
arrays of a session and make a program where they are traced.
"""

from tacit.frontends.onnx.rules import (
    activations,
    arithmetic,
    comparison,
    control,
    conversion,
    convolution,
    gathering,
    linear_models,
    matrices,
    normalization,
    optimisers,
    pooling,
    quantization,
    recurrent,
    reduction,
    resizing,
    sampling,
    sequences,
    shapes,
    signal,
    trees,
)

__all__ = [
    "activations",
    "arithmetic",
    "comparison",
    "control",
    "conversion",
    "convolution",
    "gathering",
    "linear_models",
    "matrices",
    "normalization",
    "optimisers",
    "pooling",
    "quantization",
    "recurrent",
    "reduction",
    "resizing",
    "sampling",
    "sequences",
    "shapes",
    "signal",
    "trees",
]
