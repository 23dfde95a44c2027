"""Programs that give the same results for less: one pass a file, made of rules for single nodes.

Start with ``optimiser.py``, then ``rewriting.py``. What runs side by side needs no pass: the
scheduler (``programs/running.py``) merges the rounds of independent nodes.
"""
