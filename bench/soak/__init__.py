"""``python -m bench.soak``: long runs under random faults, with everything checked.

Cases are drawn from a seed: a program (``programs.py``), a protocol, a fault (``faults.py``). Each
runs in processes of its own, some of which are killed, paused or corrupt, and must end right or
with the error that its protocol promises (``cases.py``); so must ``tacit train`` (``main_job.py``).
Beside them, sessions that live as long as the run show whether memory and open files grow
(``steady.py``). Start with ``__main__.py``.
"""
