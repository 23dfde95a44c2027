"""What a command checks before it starts any process: files and the schema."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from tacit.errors import SchemaError
from tacit.tables import Problem, Schema, Violation, refuse_readable_preparation
from tacit.tables.problems import data_error

__all__ = ["require_files", "require_schema"]


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


def require_schema(path: Path, label: str, reveal_to: Collection[str]) -> None:
    """The schema says what is predicted, and ``--label`` must say the same; and what is private.

    Raises
    ------
    SchemaError
        It does not (TC-2205), what is private could be read off the model (TC-2217), or the schema
        cannot be read.
    """
    schema = Schema.load(path)
    agreed = schema.label
    if label != agreed:
        raise SchemaError(
            f'The schema {path} predicts "{agreed}", and --label says "{label}".',
            next_step="give the schema's label; for another one, draft a schema with it.",
            case=5,
        )
    refuse_readable_preparation(schema, reveal_to)
