"""Front-ends: NumPy-style functions, JAX functions and ONNX models become programs.

May import ``arrays``, ``programs`` and below. Start with ``tracing.py``.
"""
