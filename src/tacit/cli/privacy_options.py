"""Options of ``tacit train`` about differential privacy."""

from __future__ import annotations

from typing import Annotated

import typer

from tacit.errors import UsageError
from tacit.ml.privacy.terms import Privacy
from tacit.ml.records import OwnerResult

__all__ = [
    "ClipOption",
    "DeltaOption",
    "DpOption",
    "EpsilonOption",
    "NoiseOption",
    "chosen_privacy",
    "privacy_facts",
]

_PANEL = "Differential privacy"

DpOption = Annotated[
    bool,
    typer.Option(
        "--dp",
        help="Train with differential privacy: what is revealed tells little about any one row."
        " Needs --schema and --epsilon (or --noise-multiplier). See docs/differential-privacy.md.",
        rich_help_panel=_PANEL,
    ),
]
EpsilonOption = Annotated[
    float | None,
    typer.Option(
        help="The most that training may spend for a row; 1 is strong, 8 is weak. The least noise"
        " that keeps it is found.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]
DeltaOption = Annotated[
    float,
    typer.Option(
        help="The probability that epsilon does not cover; far below one over the number of rows.",
        rich_help_panel=_PANEL,
    ),
]
ClipOption = Annotated[
    float,
    typer.Option(
        help="The norm that a row's gradient is clipped to, 0.016 to 64.", rich_help_panel=_PANEL
    ),
]
NoiseOption = Annotated[
    float | None,
    typer.Option(
        help="Deviation of the noise over the clip, instead of --epsilon, which is reported then.",
        show_default=False,
        rich_help_panel=_PANEL,
    ),
]


def chosen_privacy(
    *,
    dp: bool,
    epsilon: float | None,
    delta: float,
    clip: float,
    noise_multiplier: float | None,
) -> Privacy | None:
    """What the options mean.

    Raises
    ------
    UsageError
        Options that do not go together (TC-1047), or a number out of range (TC-1045).
    """
    if not dp:
        if epsilon is None and noise_multiplier is None:
            return None
        raise UsageError(
            "--epsilon and --noise-multiplier are for --dp.",
            next_step="add --dp to train with differential privacy.",
            case=47,
        )
    if (epsilon is None) == (noise_multiplier is None):
        raise UsageError(
            "--dp needs either --epsilon or --noise-multiplier.",
            next_step="give for instance --dp --epsilon 2 --delta 1e-6.",
            case=47,
        )
    for option, value in (("--epsilon", epsilon), ("--noise-multiplier", noise_multiplier)):
        if value is not None and not 0.01 <= value <= 1000.0:
            raise UsageError(
                f"{option} is out of range.",
                next_step="give for instance --epsilon 2, or --noise-multiplier 1.",
                case=45,
            )
    return Privacy(
        epsilon=epsilon or 0.0, delta=delta, clip=clip, noise_multiplier=noise_multiplier or 0.0
    )


def privacy_facts(reader: OwnerResult) -> dict[str, str | int | float | bool]:
    """What the report and the manifest say of it."""
    terms = reader.plan.privacy
    if terms is None:
        return {}
    found: dict[str, str | int | float | bool] = {
        "epsilon of a training row": round(terms.training.epsilon, 4),
        "delta": terms.training.delta,
        "part of delta for approximations": terms.training.approximation,
        "noise multiplier": terms.noise_multiplier,
        "gradients clipped to": terms.clip,
        "sampling rate": round(terms.sampling_rate, 8),
    }
    if terms.held_out is not None:
        found["epsilon of a held-out row"] = round(terms.held_out.epsilon, 4)
        found["noise on counts of held-out rows"] = terms.evaluation_noise
    return found
