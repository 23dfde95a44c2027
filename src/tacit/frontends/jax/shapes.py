"""Rearranging: nothing is sent for any of these."""

from __future__ import annotations

from typing import Any

import numpy as np

from tacit.arrays import functions as tacit
from tacit.frontends.jax.rules import Call, rule
from tacit.frontends.jax.values import is_secret, plain, settled

__all__ = ["padded", "repeated", "shaped"]


def shaped(x: Any, shape: tuple[int, ...]) -> Any:
    """A secret array under a shape; itself where it has it."""
    return x if x.shape == tuple(shape) else tacit.reshape(x, shape)


def repeated(x: Any, shape: tuple[int, ...]) -> Any:
    """A secret array repeated to a shape; itself where it has it."""
    return x if x.shape == tuple(shape) else tacit.broadcast_to(x, shape)


@rule("reshape")
def _reshape(call: Call, x: Any, *_: Any) -> Any:
    order = call["dimensions"]
    return shaped(x if order is None else tacit.permute_dims(x, order), call.shape)


@rule("squeeze")
def _squeeze(call: Call, x: Any) -> Any:
    return tacit.reshape(x, call.shape)


@rule("expand_dims")
def _expand_dims(call: Call, x: Any) -> Any:
    return tacit.reshape(x, call.shape)


@rule("transpose")
def _transpose(call: Call, x: Any) -> Any:
    return tacit.permute_dims(x, call["permutation"])


@rule("broadcast_in_dim")
def _broadcast(call: Call, x: Any, *_: Any) -> Any:
    shape = [1] * len(call.shape)
    for axis, extent in zip(call["broadcast_dimensions"], x.shape, strict=True):
        shape[axis] = extent
    return repeated(shaped(x, tuple(shape)), call.shape)


@rule("rev")
def _reverse(call: Call, x: Any) -> Any:
    return tacit.flip(x, axis=tuple(call["dimensions"])) if call["dimensions"] else x


@rule("slice")
def _slice(call: Call, x: Any) -> Any:
    strides = call["strides"] or (1,) * x.ndim
    starts, ends = call["start_indices"], call["limit_indices"]
    return x[tuple(map(slice, starts, ends, strides))] if x.ndim else x


@rule("concatenate")
def _concatenate(call: Call, *parts: Any) -> Any:
    axis = call["dimension"]
    some = [plain(part) for part in parts if np.shape(part)[axis]] or [plain(parts[0])]
    if len(some) == 1:
        return some[0]
    return settled(tacit.concat(some, axis=axis), call.dtype)


@rule("split")
def _split(call: Call, x: Any) -> Any:
    return tacit.split(x, np.cumsum(call["sizes"])[:-1].tolist(), axis=call["axis"])


@rule("tile")
def _tile(call: Call, x: Any) -> Any:
    return tacit.tile(x, tuple(call["reps"]))


@rule("stack")
def _stack(call: Call, *parts: Any) -> Any:
    return tacit.stack([plain(part) for part in parts], axis=call["axis"])


@rule("unstack")
def _unstack(call: Call, x: Any) -> Any:
    return list(tacit.unstack(x, axis=call["axis"]))


@rule("pad")
def _pad(call: Call, x: Any, value: Any) -> Any:
    config = [(int(a), int(b), int(c)) for a, b, c in call["padding_config"]]
    if is_secret(x) and not is_secret(value) and not plain(value).any():
        return padded(x, config)
    inside = padded(np.ones(np.shape(x), np.bool_), config)
    filled = padded(plain(x), config)
    return settled(tacit.where(inside, filled, plain(value)), call.dtype)


def padded(x: Any, config: list[tuple[int, int, int]]) -> Any:
    """An array between zeros: (before, after, between elements) by axis, below 0 cut off."""
    for axis, (before, after, between) in enumerate(config):
        extent = x.shape[axis]
        if between and extent > 1:
            longer = (*x.shape[: axis + 1], 1, *x.shape[axis + 1 :])
            x = _zeros_behind(_shaped(x, longer), axis + 1, between)
            x = _shaped(x, (*longer[:axis], extent * (between + 1), *longer[axis + 2 :]))
            x = x[_along(axis, 0, extent * (between + 1) - between)]
        width = x.shape[axis]
        x = x[_along(axis, max(-before, 0), width - max(-after, 0))]
    widths = [(max(before, 0), max(after, 0)) for before, after, _ in config]
    if not any(map(any, widths)):
        return x
    return tacit.pad(x, widths) if is_secret(x) else np.pad(x, widths)


def _along(axis: int, start: int, end: int) -> tuple[slice, ...]:
    return (*(slice(None),) * axis, slice(start, max(start, end)))


def _shaped(x: Any, shape: tuple[int, ...]) -> Any:
    return tacit.reshape(x, shape) if is_secret(x) else np.reshape(x, shape)


def _zeros_behind(x: Any, axis: int, count: int) -> Any:
    widths = [(0, count if place == axis else 0) for place in range(len(x.shape))]
    return tacit.pad(x, widths) if is_secret(x) else np.pad(x, widths)
