"""The command; see the package."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import onnx

import tacit
from bench.onnx_backend.cases import KINDS, cases
from bench.onnx_backend.judging import PASSED, judged
from bench.onnx_backend.page import OUTCOMES, PAGE, Outcome, page

__all__ = ["main", "outcomes"]


def outcomes(kind: str, names: str = "", part: int = 0, parts: int = 1) -> list[Outcome]:
    """The outcomes of the cases of a kind whose names hold a text; every `parts`-th of them."""
    found = []
    with tacit.local("replicated3", seed=1) as mpc:
        for place, case in enumerate(cases(kind)):
            if place % parts != part or names not in case.name:
                continue
            reason, detail = judged(case, mpc)
            found.append(
                Outcome(case.name, kind, case.operator, case.numeric, reason, detail[:300])
            )
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the cases, in two processes; write the results and the page."""
    parser = argparse.ArgumentParser(prog="python -m bench.onnx_backend", description=__doc__)
    parser.add_argument("--kind", choices=KINDS, action="append", help="only cases of this kind")
    parser.add_argument("--only", default="", metavar="TEXT", help="only cases with this in names")
    parser.add_argument("--processes", type=int, default=2, help="how many run side by side")
    parser.add_argument(
        "--page", action="store_true", help="only write the page, from what is kept"
    )
    chosen = parser.parse_args(arguments)
    if chosen.page:
        PAGE.write_text(page(Outcome.kept()))
        return 0
    count = max(1, chosen.processes)
    results: list[Outcome] = []
    with ProcessPoolExecutor(count) as pool:
        for kind in chosen.kind or KINDS:
            run = partial(outcomes, kind, chosen.only, parts=count)
            found = [each for part in pool.map(_part, [run] * count, range(count)) for each in part]
            found.sort(key=lambda outcome: outcome.name)
            passed = sum(outcome.reason == PASSED for outcome in found)
            numeric = [outcome for outcome in found if outcome.numeric]
            good = sum(outcome.reason == PASSED for outcome in numeric)
            print(f"{kind}: {passed} of {len(found)} pass; of floats, integers and booleans {good}"
                  f" of {len(numeric)}", flush=True)  # fmt: skip
            results += found
    if chosen.only or chosen.kind:
        for outcome in results:
            if outcome.reason != PASSED:
                print(f"{outcome.name}: {outcome.reason}: {outcome.detail}")
        return 0
    lines = ",\n".join(json.dumps(outcome.kept_as) for outcome in results)
    OUTCOMES.write_text(f'{{"onnx": "{onnx.__version__}", "cases": [\n{lines}\n]}}\n')
    PAGE.write_text(page(results))
    return 0


def _part(run: partial[list[Outcome]], part: int) -> list[Outcome]:
    return run(part=part)


if __name__ == "__main__":
    sys.exit(main())
