"""What a command checks before it starts any process: files and the label."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tacit.errors import SchemaError
from tacit.tables import Problem, Schema, Violation
from tacit.tables.problems import data_error

__all__ = ["require_files", "require_label"]


def require_files(owners: Mapping[str, Path]) -> None:
    """Before a process is started: are the files there? None is opened here.

    Raises
    ------
    DataError
        One is not (TC-2100).
    """
    for name, path in owners.items():
        if not path.exists():
            missing = Violation(Problem.UNREADABLE)
            raise data_error(path, missing, owner=name, detail=": No such file or directory")


def require_label(schema: Path, label: str) -> None:
    """The schema says what is predicted; ``--label`` must say the same.

    Raises
    ------
    SchemaError
        It does not (TC-2205), or the schema cannot be read.
    """
    agreed = Schema.load(schema).label
    if label != agreed:
        raise SchemaError(
            f'The schema {schema} predicts "{agreed}", and --label says "{label}".',
            next_step="give the schema's label; for another one, draft a schema with it.",
            case=5,
        )
