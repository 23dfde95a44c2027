"""The private preparation put into a model, so that it takes rows as their owners encode them.

Codes: a target-encoded column is one-hot features times codes, so its weight becomes a weight for
each category, code times weight. Means of codes are in the bias already (``folding.py``).

Clipping: for x in [-1, 1] and secret limits l < h, clip(x) = l + relu(x - l) - relu(x - h). So one
layer of ReLU units comes first: relu(x_j - l_j) for every feature j (l_j = -1, where nothing is
clipped, makes x_j + 1 of it), and relu(x_j - h_j) for clipped ones. The next layer has the weights
w_j and -w_j for them, and Σ l_j w_j more in its bias. Units are scaled by 16 and weights by 1/16:
weights of columns that vary little are large, and units have fewer bits than rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from tacit.errors import UsageError
from tacit.functions.perceptron import Activation
from tacit.ml.preparing import Prepared
from tacit.ml.standardization import INPUT_BITS
from tacit.ml.target_encoding import CODE_BITS
from tacit.models import ModelForm
from tacit.protocols.interface import Party
from tacit.rounds.combine import together
from tacit.rounds.contract import Step
from tacit.tables import Layout, Schema
from tacit.tables.layout import FOLDS

__all__ = ["SCALE_BITS", "check_expansion", "expanded", "expanded_form", "unit_weights"]

SCALE_BITS: Final = 4
"""Units of the clipping layer are scaled by 2^4."""


def check_expansion(
    schema: Schema, hidden: Sequence[int], activation: Activation, started: bool = False
) -> None:
    """Refuse a model that the preparation cannot be put into, or taken out of again.

    Raises
    ------
    UsageError
        Columns are clipped and hidden units are no ReLU (TC-1068), or training starts from a
        model (TC-1069).
    """
    if started:
        raise UsageError(
            "Columns are clipped or target-encoded, and training starts from a model: what is in it"
            " of earlier limits and codes cannot be taken out.",
            next_step="train from initial weights, or take clipping and target encoding out of the"
            " schema.",
            case=69,
            stage="preparation",
        )
    if hidden and activation != "relu" and any(column.clip for column in schema.inputs):
        raise UsageError(
            f"Columns are clipped, and the model's hidden units are {activation}: the secret limits"
            " can be put into a model with ReLU units alone.",
            next_step='choose --activation relu, or take "clip" out of the schema.',
            case=68,
            stage="preparation",
        )


def expanded_form(form: ModelForm, layout: Layout) -> ModelForm:
    """The form of the model for encoded rows, from that for prepared columns.

    Both have the schema's features as their first width, by the schema; with clipping a layer of
    ReLU units comes first.
    """
    if not layout.clipped:
        return form
    units = layout.features + len(layout.clipped)
    return ModelForm(
        kind="mlp",
        schema=form.schema,
        hidden=(units, *form.hidden),
        activation="relu",
        fraction_bits=form.fraction_bits,
        input_bits=form.input_bits,
        rows=form.rows,
        notes={**form.notes, "clipping": "the first layer"},
    )


def expanded(
    party: Party,
    layout: Layout,
    prepared: Prepared,
    parameters: Sequence[Any],
    fraction_bits: int,
) -> Step[list[Any]]:
    """Parameters for rows as their owners encode them.

    Parameters
    ----------
    party : Party
    layout : Layout
    prepared : Prepared
    parameters : sequence of arithmetic sharings
        For prepared columns before standardisation, which is folded in: weights
        (inputs, outputs) and bias (outputs,) of every layer.
    fraction_bits : int
        Of the parameters; of the result too.

    Notes
    -----
    Rounds: up to two truncated products. Revealed: nothing; but whoever learns the parameters can
    read limits off the first bias, and codes up to a factor off the first weights.
    """
    weights, bias, *above = parameters
    if layout.targets:
        weights = yield from _with_codes(party, layout, prepared, weights)
    elif not layout.is_plain:
        weights = weights[_feature_places(layout)]
    if not layout.clipped:
        return [weights, bias, *above]
    return (
        yield from _with_clipping(party, layout, prepared, [weights, bias, *above], fraction_bits)
    )


def _feature_places(layout: Layout) -> NDArray[np.int64]:
    """The prepared column of each feature; 0 for those of target-encoded categories."""
    columns = [*layout.plain, *(c.feature for c in layout.clipped)]
    places = np.zeros(layout.features, np.int64)
    inverse = np.argsort(layout.order)
    places[np.array(columns, np.int64)] = inverse[: len(columns)]
    return places


def _with_codes(party: Party, layout: Layout, prepared: Prepared, weights: Any) -> Step[Any]:
    """A weight for each feature: those of a category are code times weight."""
    outputs = weights.shape[1]
    codes = prepared.codes[FOLDS]
    steps, first = [], 0
    for target in layout.targets:
        column = codes[first : first + target.category_count].reshape(target.category_count, 1)
        row = weights[target.place].reshape(1, outputs)
        steps.append(
            party.multiply_truncate(
                party.broadcast(column, (target.category_count, outputs)),
                party.broadcast(row, (target.category_count, outputs)),
                CODE_BITS,
            )
        )
        first += target.category_count
    products = yield from together(*steps)
    places = _feature_places(layout)
    parts, done = [], 0
    for target, product in zip(layout.targets, products, strict=True):
        parts += [weights[places[done : target.first]], product]
        done = target.stop
    return party.concatenate([*parts, weights[places[done:]]], 0)


def _with_clipping(
    party: Party, layout: Layout, prepared: Prepared, parameters: Sequence[Any], fraction_bits: int
) -> Step[list[Any]]:
    weights, bias, *above = parameters
    clipped = np.array([column.feature for column in layout.clipped])
    coarse = INPUT_BITS - fraction_bits - SCALE_BITS
    ends = party.concatenate([prepared.low, prepared.high], 0)
    # The limits, scaled by 16, with the parameters' bits: exact edges lose what is finer.
    ends = yield from party.truncate(ends, coarse)
    count = len(clipped)
    low, high = ends[:count], ends[count:]
    starts = party.public(np.full(layout.features, -(1 << (fraction_bits + SCALE_BITS)), np.int64))
    pool = party.concatenate([starts, low], 0)
    index = np.arange(layout.features)
    index[clipped] = layout.features + np.arange(count)
    starts = pool[index]
    first_bias = party.negate(party.concatenate([starts, high], 0))
    first = party.public(unit_weights(layout, fraction_bits))
    finer = yield from party.truncate(weights, SCALE_BITS)
    moved = yield from party.matmul_truncate(starts.reshape(1, -1), finer, fraction_bits)
    second = party.concatenate([finer, party.negate(finer[clipped])], 0)
    shifted = party.add(bias, moved.reshape(bias.shape[0]))
    return [first, first_bias, second, shifted, *above]


def unit_weights(layout: Layout, fraction_bits: int) -> NDArray[np.int64]:
    """The public weights of the clipping layer, (features, units), scaled by 16."""
    one = 1 << (fraction_bits + SCALE_BITS)
    clipped = [column.feature for column in layout.clipped]
    return (
        np.concatenate(
            [
                np.eye(layout.features, dtype=np.int64),
                np.eye(layout.features, dtype=np.int64)[:, clipped],
            ],
            axis=1,
        )
        * one
    )
