"""A fixed part of the fuzzing of programs; ``python -m bench.fuzz_programs`` does the rest."""

from __future__ import annotations

from bench.fuzz_programs import Fuzzer
from tacit.operations.arity import ARITY
from tacit.operations.table import OPERATIONS


def test_hostile_programs_are_refused_or_are_what_they_say() -> None:
    fuzzer = Fuzzer(seed=4, run_every=40)
    assert not fuzzer.findings(2_000)
    assert fuzzer.outcomes["accepted"] > 60
    assert len(fuzzer.outcomes) > 6


def test_every_operation_says_how_many_operands_it_takes() -> None:
    assert set(ARITY) == set(OPERATIONS)
