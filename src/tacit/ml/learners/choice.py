"""Which learner a plan asks for."""

from __future__ import annotations

from tacit.ml.learners.learner import Learner
from tacit.ml.learners.logistic import LogisticLearner
from tacit.ml.learners.perceptron import PerceptronLearner
from tacit.ml.plan import TrainingPlan

__all__ = ["learner_of"]


def learner_of(plan: TrainingPlan) -> Learner:
    """The learner of a plan.

    Plain gradient descent of a logistic model has a step of its own with fewer arrays; with
    momentum, Adam, a schedule or class weights it is the perceptron without hidden layers.
    """
    if plan.kind == "logistic" and plan.optimiser.plain and plan.class_weights is None:
        return LogisticLearner(plan)
    return PerceptronLearner(plan)
