"""Differentially private joint training: secret samples, clipped rows, noise that nobody knows.

No row is looked at before its gradient is clipped: columns are scaled by the schema's public
bounds alone, and no loss is revealed. Where output is guaranteed, the samples and the noise of
all steps are shared and sealed before the first step; else they come when their turn does.

Noise is never drawn anew for something that was seen. Every step's noise is a kept result of the
session, so a step that is made again adds the same; what is to be opened is sealed first, so a
run that goes on after the opening opens the same (``docs/decisions/0068-noise-and-retries.md``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from tacit.encoding.limits import Limits
from tacit.encoding.types import bool_, int64
from tacit.errors import InputRefusedError, PartyLostError, UsageError
from tacit.functions.noise import discrete_gaussian, gaussian_plan
from tacit.ml.checkpoints import (
    GENERATIONS,
    TRAINING,
    Progress,
    arrays_named,
    named,
    progress_of,
)
from tacit.ml.evaluation import (
    COUNTS,
    ERROR_BITS,
    JointCounts,
    ScoreCounts,
    counts_of,
    encoded_counts,
)
from tacit.ml.kept import ROWS, KeptTraining
from tacit.ml.learners.private import PrivateLearner
from tacit.ml.losses import opened
from tacit.ml.metrics import BINS
from tacit.ml.privacy.sampling import PoissonSampler
from tacit.ml.privacy.terms import NOISY_BINS
from tacit.ml.training import OwnRows
from tacit.ml.ways import Course, Phases, TrainingJob
from tacit.operations.types import ArrayType, SecretValue
from tacit.protocols.interface import Party
from tacit.rounds.contract import Step
from tacit.rounds.randomness import Randomness, SystemRandomness
from tacit.sessions.handles import Reference
from tacit.sessions.party import PartySession
from tacit.storage.writing import write_whole

__all__ = ["PrivateTraining"]

LABELS: Limits = (0, 1)

CHUNK_ROWS = 8_192
"""Rows shared at a time, blank ones included."""

REVEALED = "revealed"
"""The file that says that a model may have been opened."""

_Results = Step[tuple[SecretValue, ...]]


class PrivateTraining(KeptTraining):
    """One party's part of a private joint training; the methods are called in their order, once.

    Parameters
    ----------
    session : PartySession
    job : TrainingJob
        Whose plan has terms of privacy.
    own : OwnRows or None
    moments : None
        Not used: nothing of the data is known before it is clipped.
    randomness : Randomness, optional
        This owner's own, for its samples.
    """

    def __init__(
        self,
        session: PartySession,
        job: TrainingJob,
        own: OwnRows | None,
        moments: NDArray[np.float64] | None = None,
        randomness: Randomness | None = None,
    ) -> None:
        super().__init__(session, job, own, None)
        assert job.plan.privacy is not None
        self._terms = job.plan.privacy
        self._private = PrivateLearner(job.plan)
        self._learner = self._private
        self._whole = session.protocol.security.outcome == "guaranteed output"
        self._steps_a_chunk = max(1, min(CHUNK_ROWS // max(1, self._terms.examples), 256))
        self._chunks: list[tuple[Reference, ...]] = []
        self._evaluation: Reference | None = None
        self._sampler: PoissonSampler | None = None
        position = session.position(session.name)
        if own is not None:
            self._sampler = PoissonSampler(
                job.plan.rows[position],
                self._terms.rate,
                self._terms.slots[position],
                randomness or SystemRandomness(),
            )

    @property
    def _chunk_count(self) -> int:
        return -(-self._plan.steps // self._steps_a_chunk)

    def _steps_of(self, chunk: int) -> int:
        return min(self._steps_a_chunk, self._plan.steps - chunk * self._steps_a_chunk)

    # Before the first step.

    def prepare(self, phases: Phases) -> None:
        """Where output is guaranteed: all samples and all noise, shared and sealed."""
        session, job = self._session, self._job
        self._learner.check()
        if job.storage is not None:
            session.attach(job.storage)
            if not job.resume:
                self._forget()
        if not self._whole:
            return
        if not (job.resume and self._load_chunks()):
            with phases.phase("sharing"):
                report = phases.reporter("sharing", self._chunk_count, "samples")
                for chunk in range(self._chunk_count):
                    self._chunks.append((*self._share(chunk), self._draw(chunk)))
                    report(chunk + 1)
            with phases.phase("sealing"):
                self._seal_chunks()
        session.inputs_complete()
        self._own = self._sampler = None

    def _forget(self) -> None:
        for name in (ROWS, TRAINING):
            with suppress(UsageError):  # there are none of an earlier run
                self._session.delete(name, purpose="checkpoint")
        self._marker.unlink(missing_ok=True)

    @property
    def _marker(self) -> Path:
        assert self._job.storage is not None
        return Path(self._job.storage.folder) / REVEALED

    def _share(self, chunk: int) -> list[Reference]:
        """Each owner's samples of some steps: features, labels and which rows are real."""
        session, plan = self._session, self._plan
        steps, found = self._steps_of(chunk), list[Reference]()
        position = session.position(session.name)
        one = 1 << plan.fraction_bits
        for owner, slots in enumerate(self._terms.slots):
            rows = steps * slots
            features = labels = taken = None
            if owner == position and self._sampler is not None:
                features, labels, taken = self._sampled(steps, slots)
            found += [
                session.input_elements(owner, features, int64, (rows, plan.columns), (-one, one)),
                session.input_elements(owner, labels, bool_, (rows,), LABELS),
                session.input_elements(owner, taken, bool_, (rows,), LABELS),
            ]
        return found

    def _sampled(self, steps: int, slots: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """This owner's samples, with blank rows behind; whatever is blank is 0."""
        assert self._sampler is not None
        assert self._own is not None
        plan, rows = self._plan, steps * slots
        features = np.zeros((rows, plan.columns), np.int64)
        labels, taken = np.zeros(rows, np.uint64), np.zeros(rows, np.uint64)
        for step in range(steps):
            index = self._sampler.sample()
            if not len(index):
                continue
            values, own_labels = self._own.take(index)
            place = slice(step * slots, step * slots + len(index))
            features[place] = np.rint(values * float(1 << plan.fraction_bits))
            labels[place], taken[place] = own_labels, 1
        return features.view(np.uint64), labels, taken

    def _draw(self, chunk: int) -> Reference:
        """The noise of some steps, each row for one."""
        shape, noise = (self._steps_of(chunk), self._private.clipping.size), self._private.noise

        def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
            drawn = yield from discrete_gaussian(party, shape, noise)
            return (SecretValue(int64, drawn),)

        (found,) = self._session.compute(
            "noise",
            evaluate,
            (),
            results=(ArrayType(int64, shape),),
            public=self._job.digest + chunk.to_bytes(8, "little"),
        )
        return found

    def _draw_for_evaluation(self) -> Reference | None:
        """The noise on the joint counts: drawn once and sealed; every opening adds the same."""
        deviation = self._terms.evaluation_noise
        if not deviation:
            return None
        counts = gaussian_plan(deviation)
        errors = gaussian_plan(deviation * ((1 << ERROR_BITS) + 1))

        def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
            on_counts = yield from discrete_gaussian(party, (2 * NOISY_BINS,), counts)
            on_error = yield from discrete_gaussian(party, (1,), errors)
            return (SecretValue(int64, party.concatenate([on_counts, on_error], 0)),)

        (found,) = self._session.compute(
            "noise",
            evaluate,
            (),
            results=(ArrayType(int64, (2 * NOISY_BINS + 1,)),),
            public=self._job.digest + b"evaluation",
        )
        return found

    def _seal_chunks(self) -> None:
        references = [reference for chunk in self._chunks for reference in chunk]
        self._session.save(
            references,
            ROWS,
            names=[f"sample {place}" for place in range(len(references))],
            kind="samples and noise of a private training",
            public=msgspec.msgpack.encode(Progress(self._job.digest, 0)),
            purpose="checkpoint",
            keep=1,
        )

    def _load_chunks(self) -> bool:
        found = self._session.resume(ROWS)
        if found is None:
            return False
        header, references = found
        progress_of(header, self._job.digest)
        width = len(references) // self._chunk_count
        self._chunks = [
            tuple(references[start : start + width]) for start in range(0, len(references), width)
        ]
        return True

    def _chunks_from(self, first: int) -> Iterator[tuple[int, tuple[Reference, ...]]]:
        for chunk in range(first, self._chunk_count):
            if self._whole:
                yield chunk, self._chunks[chunk]
            else:
                yield chunk, (*self._share(chunk), self._draw(chunk))

    # Training.

    def train(
        self, on_step: Callable[[int], None], told: Callable[[str], None] = lambda text: None
    ) -> Course:
        """All steps; nothing is learned on the way."""
        session, plan, every = self._session, self._plan, self._job.every
        done, found = 0, session.resume(TRAINING) if self._job.resume else None
        if found is None:
            values = self._begun()
            self._evaluation = self._draw_for_evaluation()
        else:
            header, references = found
            progress = progress_of(header, self._job.digest)
            stored = {r.name: ref for r, ref in zip(header.arrays, references, strict=True)}
            values, done = arrays_named("state", stored), progress.step
            self._evaluation = stored.get("evaluation")
        self._refuse_what_was_revealed(done)
        for chunk, references in self._chunks_from(done // self._steps_a_chunk):
            start = chunk * self._steps_a_chunk
            for number in range(max(done, start), start + self._steps_of(chunk)):
                values = session.compute(
                    "training",
                    self._step(number, number - start),
                    (*values, *references),
                    results=self._types,
                    public=self._job.digest + number.to_bytes(8, "little"),
                )
                done = number + 1
                on_step(done)
                if every and (done % every == 0 or done == plan.steps):
                    every = every if self._save_state(done, values) else 0
        if self._job.storage is not None:
            self._mark()
        self._parameters = tuple(values[: len(plan.shapes)])
        return Course([], [], done)

    def _step(self, number: int, place: int) -> Callable[..., _Results]:
        """One step: (state, the chunk's samples and noise) -> state."""
        learner, plan, slots = self._private, self._plan, self._terms.slots
        count = len(learner.shapes)
        dtype = self._type

        def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
            values = tuple(part.share for part in parts[:count])
            *samples, noise = (part.share for part in parts[count:])
            x, bits = [], []
            for owner, size in enumerate(slots):
                rows = slice(place * size, (place + 1) * size)
                features, *both = samples[3 * owner : 3 * owner + 3]
                x.append(features[rows])
                bits.append([b.map(lambda plain, r=rows: plain[r].copy()) for b in both])
            labels, taken = (party.concatenate_bits([b[k] for b in bits]) for k in (0, 1))
            y = yield from party.bit_to_arithmetic(labels)
            found = yield from learner.private_step(
                party,
                values,
                party.concatenate(x, 0),
                party.multiply_public(y, 1 << plan.fraction_bits),
                taken,
                noise[place],
                number,
            )
            return tuple(SecretValue(dtype, share) for share in found)

        return evaluate

    def _save_state(self, step: int, values: Sequence[Reference]) -> bool:
        """Seal where training is; False at all parties alike when one of them is lost."""
        arrays = named("state", values)
        if self._evaluation is not None:
            arrays["evaluation"] = self._evaluation
        header = self._session.save(
            list(arrays.values()),
            TRAINING,
            names=list(arrays),
            kind="training",
            public=msgspec.msgpack.encode(Progress(self._job.digest, step)),
            purpose="checkpoint",
            keep=GENERATIONS,
        )
        return header.version > 0

    def _mark(self) -> None:
        """Note, durably and before the model is opened, that it may come but once.

        Also where its shares are sealed: another party's file may be damaged, or that party may say
        that it has none, and then the newest checkpoint that all have is an older one.
        """
        write_whole(self._marker, self._job.digest)

    def _refuse_what_was_revealed(self, done: int) -> None:
        """Raises UsageError (TC-1049) where a second model of the same noise would be opened."""
        if not self._job.resume or self._job.storage is None or done == self._plan.steps:
            return
        if self._marker.exists() and self._marker.read_bytes() == self._job.digest:
            raise UsageError(
                "This private training was finished and its model may have been opened, and not all"
                " parties have what it ended with; opening another one of it would spend more than"
                " was agreed.",
                next_step="use the model that was opened, or train anew without --resume, which"
                " spends epsilon once more.",
                case=49,
                stage="privacy",
            )

    # Results.

    def evaluate(
        self, own: ScoreCounts | None, owners: Sequence[int], to: Sequence[int]
    ) -> tuple[JointCounts | None, tuple[int, ...]]:
        """Joint counts of the held-out rows of `owners` with noise, in fewer bins.

        Only of all of them: counts of fewer with the same noise would, beside those of all, tell
        what is between them.
        """
        noise = self._evaluation
        if noise is None or not to:
            return None, ()
        shape, shared = (2 * BINS + 1,), []
        position = self._session.position(self._session.name)
        for owner in owners:
            mine = owner == position and own is not None
            elements = encoded_counts(own) if mine and own is not None else None
            try:
                shared.append(self._session.input_elements(owner, elements, int64, shape, COUNTS))
            except (InputRefusedError, PartyLostError):  # at all parties alike
                return None, ()
        if not shared:
            return None, ()

        def evaluate(party: Party, parts: Sequence[SecretValue]) -> _Results:
            yield from ()
            *counts, drawn = (part.share for part in parts)
            total = counts[0]
            for part in counts[1:]:
                total = party.add(total, part)
            bins = total[: 2 * BINS].reshape(2 * NOISY_BINS, BINS // NOISY_BINS)
            coarse = party.concatenate([party.sum(bins, axis=1), total[2 * BINS :]], 0)
            return (SecretValue(int64, party.add(coarse, drawn)),)

        (noisy,) = self._session.compute(
            "evaluation",
            evaluate,
            (*shared, noise),
            results=(ArrayType(int64, (2 * NOISY_BINS + 1,)),),
        )
        found = opened(self._session, noisy, to)
        if found is None:
            return None, tuple(owners)
        return counts_of(np.maximum(found, 0), NOISY_BINS), tuple(owners)
