"""Programs against plaintext: what fixed point and approximations cost in accuracy, and where.

May import what ``frontends`` may. Start with ``comparing.py``; ``interpreting.py`` runs both sides.
"""

from tacit.frontends.comparing.comparing import compare_plaintext
from tacit.frontends.comparing.comparison import Comparison, ProtocolErrors

__all__ = ["Comparison", "ProtocolErrors", "compare_plaintext"]
