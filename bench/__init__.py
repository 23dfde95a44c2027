"""Benches: seconds, rounds, bytes and memory of tacit, alone and beside other people's systems.

``python -m bench`` measures tacit (``make bench``), ``python -m bench.peers`` measures it side by
side with the peers of ``peers/`` (``make bench-peers``), ``python -m bench.profile`` shows where a
party's time goes. Nothing here is part of the package. Start reading at ``workloads.py``.
"""
