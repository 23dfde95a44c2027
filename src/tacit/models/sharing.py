"""A model that one party holds in the clear becomes a secret model of all parties."""

from __future__ import annotations

from typing import Final

import numpy as np

from tacit.errors import RangeError
from tacit.models.clear import ClearModel
from tacit.models.form import ModelForm
from tacit.sessions.handles import Reference
from tacit.sessions.party import PartySession

__all__ = ["LARGEST_FIRST", "LARGEST_LATER", "share_model"]

LARGEST_FIRST: Final = 1 << 16
"""Weights of the first layer, which columns' scales are folded into, lie within this."""

LARGEST_LATER: Final = 1 << 12
"""Weights of other layers lie within this."""


def share_model(
    session: PartySession, owner: str, form: ModelForm, model: ClearModel | None
) -> list[Reference]:
    """Share a model's parameters; every party calls it, the owner alone with the model.

    Parameters
    ----------
    session : PartySession
    owner : str
    form : ModelForm
        The same at all parties: it is public.
    model : ClearModel or None
        The owner's.

    Returns
    -------
    list of Reference
        Of ``form.shapes`` and ``form.dtype``.

    Raises
    ------
    RangeError
        At the owner: a layer's sums could leave the fixed point (TC-1376).
    InputRefusedError
        A parameter is out of range, as all parties found on shares (TC-5400).

    Notes
    -----
    The owner's own program checks that no row could overflow a layer. Of a corrupt owner the
    parties check each parameter's range: its scores may then be nonsense, and nothing else.
    """
    if model is not None:
        check_range(model)
    one, position = 1 << form.fraction_bits, session.position(owner)
    found: list[Reference] = []
    for place, shape in enumerate(form.shapes):
        largest = (LARGEST_FIRST if place < 2 else LARGEST_LATER) * one
        elements = None
        if model is not None:
            numbers = np.rint(model.parameters[place] * float(one))
            elements = numbers.astype(np.int64).view(np.uint64)
        found.append(
            session.input_elements(position, elements, form.dtype, shape, (-largest, largest))
        )
    return found


def check_range(model: ClearModel) -> None:
    """Refuse a model whose layers could overflow on some row within [-1, 1].

    Raises
    ------
    RangeError
        TC-1376.
    """
    form, reach = model.form, np.ones(model.form.widths[0])
    bits = form.fraction_bits
    for place in range(0, len(model.parameters), 2):
        weights, bias = model.parameters[place], model.parameters[place + 1]
        largest = LARGEST_FIRST if place == 0 else LARGEST_LATER
        reach = np.abs(weights).T @ reach + np.abs(bias)
        room = 2.0 ** (61 - bits - (form.input_bits if place == 0 else bits))
        parts = max(np.abs(weights).max(initial=0), np.abs(bias).max(initial=0))
        # Written so that NaN is refused.
        if not (parts <= largest and reach.max(initial=0) < room):
            raise RangeError(
                f"The model's layer {place // 2 + 1} is too large for fixed point: a row within the"
                " schema's bounds could overflow it.",
                next_step="narrow the schema's bounds to what occurs, or train with an L2 penalty.",
                case=76,
                stage="model",
            )
        if form.activation in ("logistic", "tanh"):
            reach = np.ones_like(reach)
