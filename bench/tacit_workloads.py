"""The workloads on tacit, spoken to like a peer: ``python -m bench.tacit_workloads --serve``.

`peers.serving` describes the command line.
"""

from __future__ import annotations

import tacit
from bench.peers import inputs, serving
from bench.workloads import TacitSession

if __name__ == "__main__":
    serving.main("tacit", tacit.__version__, inputs.names(), TacitSession)
