"""Other people's secure computation, timed on the same inputs as tacit.

Each peer lives in its own virtual environment (``setup.py`` makes them) and is driven by a script
of its own, ``<peer>_workloads.py``, run by that environment's interpreter; nothing here imports
tacit, and tacit imports nothing here. Start reading at ``inputs.py``, which says what each
workload computes and on which numbers, then ``serving.py``, which says how a script is spoken to.
"""
