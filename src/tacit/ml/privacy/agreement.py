"""From what is asked for to what all owners agree on: public numbers only."""

from __future__ import annotations

from dataclasses import replace

from msgspec import structs

from tacit.errors import SchemaError, UsageError
from tacit.functions.clipping import clipping_plan
from tacit.ml.plan import TrainingPlan
from tacit.ml.privacy.accounting import checked_budget, fitting_noise, plain_noise, spent
from tacit.ml.privacy.sampling import sampling_rate, slots_for
from tacit.ml.privacy.terms import NOISY_BINS, Privacy, PrivateTerms
from tacit.ml.records import TrainingSettings
from tacit.tables import Schema

__all__ = ["check_choice", "check_schema", "described", "private_plan"]

MOST_EVALUATION_EPSILON = 20.0


def check_choice(settings: TrainingSettings) -> None:
    """Refuse what would tell of rows without noise, and what private training cannot do.

    Raises
    ------
    UsageError
        Options that do not go together (TC-1047).
    """
    how = settings.optimiser
    problems = (
        (settings.schema is None, "--schema is missing: a drafted one tells of the rows"),
        (settings.reveal_loss, "--reveal-loss would tell of the rows without noise"),
        (settings.stopping is not None, "--early-stopping would tell of the rows without noise"),
        (settings.drift is not None, "--drift would tell of the rows without noise"),
        (settings.start is not None, "--start-from is not there: what it has spent is not known"),
        (settings.vertical, "--vertical is not there"),
        (how.solver != "sgd" or how.nesterov, "only plain SGD and momentum are there"),
        (bool(settings.dropout), "--dropout is not there"),
        (settings.class_weights is not None, "--class-weights are not there"),
        (bool(settings.hidden) and settings.activation != "relu", "only relu is there"),
    )
    for fails, problem in problems:
        if fails:
            raise UsageError(
                f"With --dp: {problem}.",
                next_step="see docs/differential-privacy.md; tacit schema infer drafts a schema.",
                case=47,
                stage="privacy",
            )


def check_schema(schema: Schema) -> None:
    """Refuse what would compute from the rows before they are clipped.

    Raises
    ------
    SchemaError
        A column is filled up with a mean, clipped at quantiles or encoded by the label (TC-2240).
    """
    for column in schema.inputs:
        problem = ""
        if column.missing == "mean":
            problem = "fills missing values up with the mean of the others"
        elif column.clip is not None:
            problem = "is clipped at quantiles of the data"
        elif column.is_target_encoded:
            problem = "is encoded by the rate of the label"
        if problem:
            raise SchemaError(
                f"The column {column.name!r} {problem}: with differential privacy no row may"
                " depend on others before it is clipped.",
                next_step='for private training use missing = "zero" or "refuse", no clip, and'
                ' encode = "one_hot".',
                case=40,
                stage="privacy",
            )


def private_plan(plan: TrainingPlan, asked: Privacy, *, evaluated: bool) -> TrainingPlan:
    """The plan with its terms: sampling, noise, and what they spend.

    Parameters
    ----------
    plan : TrainingPlan
        Its rows, batch size and epochs say how often a row is looked at.
    asked : Privacy
    evaluated : bool
        Whether counts of held-out rows are revealed.

    Raises
    ------
    RangeError
        The budget promises nothing (TC-1325), or no noise keeps it (TC-1326).
    """
    checked_budget(asked.epsilon or 1.0, asked.delta)
    rate = sampling_rate(plan.batch_size, sum(plan.rows))
    slots = tuple(slots_for(count, rate) for count in plan.rows)
    clipping = clipping_plan(plan.widths, asked.clip, sum(slots), plan.fraction_bits)
    asked_of = {
        "rate": rate,
        "rows": plan.rows,
        "slots": slots,
        "steps": plan.steps,
        "delta": asked.delta,
    }
    multiplier = asked.noise_multiplier
    if not multiplier:
        multiplier = fitting_noise(clipping, asked.epsilon, **asked_of)  # type: ignore[arg-type]
    training = spent(clipping, multiplier, **asked_of)  # type: ignore[arg-type]
    checked_budget(training.epsilon, asked.delta)
    terms = PrivateTerms(
        clip=asked.clip,
        noise_multiplier=multiplier,
        delta=asked.delta,
        rate=rate,
        slots=slots,
        training=training,
    )
    if evaluated:
        # A held-out row trains nothing: it may spend as much by the evaluation.
        epsilon = min(asked.epsilon or training.epsilon, MOST_EVALUATION_EPSILON)
        deviation, held_out = plain_noise(epsilon, asked.delta, 2 * NOISY_BINS + 1, 2)
        terms = structs.replace(terms, evaluation_noise=deviation, held_out=held_out)
    return replace(plan, privacy=terms)


def described(plan: TrainingPlan) -> str:
    """One line for people: what a row spends, and by what."""
    terms = plan.privacy
    assert terms is not None
    found = terms.training
    return (
        f"Differential privacy: ({found.epsilon:.3g}, {found.delta:g}) for each row"
        f" (replaced by a blank one), {plan.steps:,} steps at sampling rate"
        f" {terms.sampling_rate:.3g}, noise {terms.noise_multiplier:g} x clip {terms.clip:g};"
        f" {found.approximation:.1g} of delta pays for approximations."
    )
