"""Differentially private training: what it promises, what it costs, and how rows are sampled.

``terms.py`` holds what owners agree on, ``accounting.py`` turns it into epsilon and delta,
``sampling.py`` is each owner's secret sample of its own rows. The clipping and the noise are steps
on shares, in ``functions/clipping.py`` and ``functions/noise``; ``ml/private.py`` is the training.
"""
