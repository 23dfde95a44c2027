"""ONNX models become programs.

May import ``arrays``, ``programs`` and below. Start with ``interpreting.py``; ``rules`` has one
module a kind of operator. The package onnx is imported only when a model is loaded.
"""

from tacit.frontends.onnx.importing import from_onnx, onnx_weights

__all__ = ["from_onnx", "onnx_weights"]
