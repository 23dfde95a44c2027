"""Owners' tables: schemas, files, checks, encoding into features.

Everything here is local data of one party; nothing communicates. May import ``encoding`` and
``errors``. Start with ``schema.py``, then ``encode.py``.
"""

from tacit.tables.check import Findings, check
from tacit.tables.column import Column
from tacit.tables.drafts import Draft, Inferred, draft, infer
from tacit.tables.encode import denormalise, normalise, standardised
from tacit.tables.layout import Layout
from tacit.tables.merging import doubts, merge
from tacit.tables.moments import Moments, moments
from tacit.tables.parts import SchemaPart, join, own_draft, part_of
from tacit.tables.private_columns import (
    GROUPS,
    private_columns,
    refuse_private_groups,
    refuse_readable_preparation,
)
from tacit.tables.problems import Problem, Violation, notice_for_others
from tacit.tables.profiles import Profile, profile, profiles_of
from tacit.tables.schema import Schema
from tacit.tables.split import public_generator, split
from tacit.tables.spool import Spool, spool
from tacit.tables.summaries import Summaries, summaries

__all__ = [
    "GROUPS",
    "Column",
    "Draft",
    "Findings",
    "Inferred",
    "Layout",
    "Moments",
    "Problem",
    "Profile",
    "Schema",
    "SchemaPart",
    "Spool",
    "Summaries",
    "Violation",
    "check",
    "denormalise",
    "doubts",
    "draft",
    "infer",
    "join",
    "merge",
    "moments",
    "normalise",
    "notice_for_others",
    "own_draft",
    "part_of",
    "private_columns",
    "profile",
    "profiles_of",
    "public_generator",
    "refuse_private_groups",
    "refuse_readable_preparation",
    "split",
    "spool",
    "standardised",
    "summaries",
]
