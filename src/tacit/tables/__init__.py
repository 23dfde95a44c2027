"""Owners' tables: schemas, files, checks, encoding into features.

Everything here is local data of one party; nothing communicates. May import ``encoding`` and
``errors``. Start with ``schema.py``, then ``encode.py``.
"""

from tacit.tables.check import Findings, check
from tacit.tables.drafts import Draft, draft, merge
from tacit.tables.encode import denormalise, normalise, standardised
from tacit.tables.moments import Moments, moments
from tacit.tables.problems import Problem, Violation, notice_for_others
from tacit.tables.schema import Column, Schema
from tacit.tables.split import public_generator, split
from tacit.tables.spool import Spool, spool

__all__ = [
    "Column",
    "Draft",
    "Findings",
    "Moments",
    "Problem",
    "Schema",
    "Spool",
    "Violation",
    "check",
    "denormalise",
    "draft",
    "merge",
    "moments",
    "normalise",
    "notice_for_others",
    "public_generator",
    "split",
    "spool",
    "standardised",
]
