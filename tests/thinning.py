"""What the suite leaves out of large cross products; ``TACIT_TESTS=whole`` runs all of them.

Where two parameters are known to be independent, each runs through all its values beside a few of
the other. A set that is left out is a fixed one: the same in every run.
"""

from __future__ import annotations

import os

EVERYTHING = os.environ.get("TACIT_TESTS") == "whole"
"""Whether everything runs."""
