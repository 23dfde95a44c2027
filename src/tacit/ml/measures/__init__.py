"""How good secret scores of secret labels are, by group: only the agreed numbers are opened.

Everything here works on secret arrays, so under every protocol. Groups of too few rows are hidden
by a comparison on shares before anything is opened. May import ``arrays`` and what lies below.
Start with ``names.py`` (what can be measured), then ``measuring.py``.
"""

from tacit.ml.measures.findings import CalibrationBin, Findings
from tacit.ml.measures.measuring import evaluate_scores, measured
from tacit.ml.measures.names import DEFAULT, Measure, parse_measures

__all__ = [
    "DEFAULT",
    "CalibrationBin",
    "Findings",
    "Measure",
    "evaluate_scores",
    "measured",
    "parse_measures",
]
