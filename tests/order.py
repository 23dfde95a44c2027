"""Which files the suite begins with: the long ones, so that no worker has one left at the end.

A file that mostly waits (for time limits, for other processes) stands beside two that compute:
three workers then keep two cores busy. What is not listed comes afterwards, in the order of paths.
"""

from __future__ import annotations

from collections.abc import Iterable

WAITING = (
    "main_job/test_train_losses.py",
    "network/test_processes.py",
    "sessions/test_losing_processes.py",
    "network/test_patience.py",
    "network/test_guarded_attacks.py",
    "main_job/test_train_resumed.py",
    "network/test_ground_processes.py",
    "network/test_ground.py",
    "network/test_ground_vandals.py",
    "sessions/test_processes_session.py",
    "sessions/test_guarded_processes.py",
    "sessions/test_alone.py",
    "sessions/test_losses.py",
    "network/test_ground_handshakes.py",
    "network/test_handshake_links.py",
    "packaging/test_wheel.py",
    "unit/bench/test_soak.py",
    "unit/cli/test_run_interrupted.py",
    "network/test_probing.py",
    "network/test_unguarded.py",
)
COMPUTING = (
    "estimators/test_scikit_learn.py",
    "main_job/test_train.py",
    "attacks/test_guarded_faults.py",
    "attacks/test_conferences.py",
    "attacks/test_exhaustive.py",
    "laws/test_views.py",
    "main_job/test_guide.py",
    "main_job/test_demo.py",
    "sessions/test_memory.py",
    "sessions/test_storage_between_processes.py",
    "laws/test_fantastic4_views.py",
    "unit/functions/test_function_costs.py",
    "conformance/test_primitives.py",
    "attacks/test_active_three.py",
    "unit/bench/test_curves.py",
    "attacks/test_training_faults.py",
    "accuracy/test_accuracy.py",
    "costs/test_declarations.py",
    "attacks/test_conference.py",
    "array_api/test_conformance.py",
    "unit/bench/test_bench.py",
    "unit/operations/test_operation_table.py",
    "attacks/test_guarded_liars.py",
    "sessions/test_launch.py",
    "laws/test_views_exhaustive.py",
    "sessions/test_guard.py",
    "sessions/test_segmented_programs.py",
    "unit/kernels/test_arguments.py",
    "unit/arrays/test_against_numpy.py",
    "unit/ml/test_checkpoints.py",
    "main_job/test_train_helper.py",
    "main_job/test_train_private.py",
    "main_job/test_train_models.py",
    "main_job/test_train_prepared.py",
    "fuzz/test_fuzz.py",
    "attacks/test_guarded_random.py",
    "unit/functions/test_class_probabilities.py",
    "attacks/test_verdicts.py",
    "unit/cli/test_distil_command.py",
)


def begun_with() -> Iterable[str]:
    """The long files: one that waits, two that compute, and so on."""
    waiting, computing = iter(WAITING), iter(COMPUTING)
    for number in range(3 * len(WAITING) + len(COMPUTING)):
        found = next(waiting if number % 3 == 0 else computing, None)
        if found is not None:
            yield found


PLACES = {path: place for place, path in enumerate(begun_with())}
"""Where a file stands, by its path below ``tests``."""
