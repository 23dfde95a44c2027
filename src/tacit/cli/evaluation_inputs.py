"""What ``tacit evaluate`` is given: who has the model, who has rows."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NoReturn

from tacit.cli.train import parse_owners
from tacit.errors import UsageError

__all__ = ["parse_inputs", "refuse"]

_MODELS: Final = (".json",)
_ROWS: Final = (".csv", ".parquet", ".pq", ".tsv")
_PICKLES: Final = (".pkl", ".pickle", ".joblib", ".skops")


def parse_inputs(
    files: list[str], *, stored: str = "", own: str | None = None
) -> tuple[tuple[str, Path] | None, dict[str, Path]]:
    """``["vendor=model.json", "bank=rows.csv"]`` as the model's owner and the data owners.

    Parameters
    ----------
    files : list of str
    stored : str
        The name of a stored model that takes an owner's place.
    own : str, optional
        Of several machines: this party's ``NAME=FILE``. What `files` say of the others is only
        whether they have the model or rows: ``vendor=model`` and ``bank=rows`` will do.

    Raises
    ------
    UsageError
        Not NAME=FILE (TC-1040), a name twice (TC-1041), two models, no rows, or a file that is
        neither (TC-1074).
    """
    owners = parse_owners(files)
    models: dict[str, Path] = {}
    rows: dict[str, Path] = {}
    for name, path in owners.items():
        kind = _kind(path)
        if own is None and path.name in ("model", "rows"):
            refuse(f"{path.name} is no file: it is for the other parties with --as")
        (models if kind == "model" else rows)[name] = path
    if own is not None:
        name, _, path_text = own.partition("=")
        holders = models if name in models else rows
        if (name in owners) != bool(path_text):
            refuse(f"--as {own} does not fit {' '.join(files)}: who has something gives its file")
        if path_text:
            holders[name] = Path(path_text)
            if _kind(holders[name]) != ("model" if name in models else "rows"):
                refuse(f"{path_text} is not what {name} has by {' '.join(files)}")
    if not rows:
        refuse("no data owner is named")
    if len(models) > 1:
        refuse(f"{len(models)} models are named")
    if not models and not stored:
        refuse("no model is named")
    return next(iter(models.items()), None), rows


def _kind(path: Path) -> str:
    suffix = path.suffix.lower()
    if suffix in _PICKLES:
        refuse(
            f"{path.name} is a pickle or the like, which can run code when it is opened, and"
            " nothing is ever unpickled"
        )
    if suffix in _MODELS or path.name == "model":
        return "model"
    if suffix not in _ROWS and path.name != "rows":
        refuse(f"{path.name} is neither a model (.json) nor rows (.csv, .parquet)")
    return "rows"


def refuse(problem: str) -> NoReturn:
    raise UsageError(
        f"This cannot be evaluated: {problem}.",
        next_step="give one model and the rows: tacit evaluate vendor=model.json bank=rows.csv, or"
        " tacit evaluate bank=rows.csv --store DIR --model NAME. Of a scikit-learn model its owner"
        " makes one: tacit.models.from_sklearn(estimator, schema).save('model.json').",
        case=74,
        stage="evaluate",
    )
