"""Front-ends: NumPy-style functions, JAX functions and ONNX models become programs.

May import ``arrays``, ``programs`` and below. Start with ``trace.py``, then ``tracing.py``.
"""

from tacit.frontends.comparing import compare_plaintext
from tacit.frontends.jax import from_jax
from tacit.frontends.onnx import from_onnx, onnx_weights
from tacit.frontends.spec import ArraySpec
from tacit.frontends.trace import trace

__all__ = ["ArraySpec", "compare_plaintext", "from_jax", "from_onnx", "onnx_weights", "trace"]
