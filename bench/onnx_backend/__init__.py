"""``python -m bench.onnx_backend``: ONNX's own backend test-suite against `tacit.from_onnx`.

Runs every case as a program on three parties in this process, its data inputs secret, and writes
``outcomes.json`` beside this file and the tables of ``docs/onnx.md``. Start with ``judging.py``.
"""
