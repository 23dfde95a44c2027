"""What is learned in a joint training, one file a learner; both ways of training run any of them.

A learner says what its state is, how it begins, what a minibatch step makes of it, and what the
model's parameters are in the end. It sees sharings of standardised rows and knows neither
sessions nor checkpoints. May import ``functions`` and ``ml/plan.py``. Start with ``learner.py``.
"""

from tacit.ml.learners.choice import learner_of
from tacit.ml.learners.learner import Learner

__all__ = ["Learner", "learner_of"]
