"""Input and reveal: those of ``replicated3``, which hold against an active party as they are.

Active, t = 1, abort. *Input.* The owner's message goes to one party, the other shares come from a
pairwise stream or are 0, so whatever the owner sends is a consistent sharing of one number: its
input. There is nothing to lie about. *Reveal.* The recipient compares the share that one party
sends with the hash that the other sends; one of the two is honest. Every step proves what it
gives before it ends, so what is opened is right.

Rounds and bytes: ``replicated3/io.py``.
"""

from __future__ import annotations

from tacit.protocols.replicated3.io import input_, input_bits, reveal, reveal_bits

__all__ = ["input_", "input_bits", "reveal", "reveal_bits"]
