"""Trainings of random examples, which are driven one event at a time."""

from dataclasses import dataclass, fields, replace

from chainrule.engines.base import Problem
from chainrule.engines.optimizers import SGD
from chainrule.network.layers import Dense
from chainrule.network.parameters import initial_parameters
from chainrule.network.spec import NetworkSpec
from chainrule.training.checkpointer import Checkpointer
from chainrule.training.loop import Loop
from chainrule.training.plan import Plan
from chainrule.training.state import State
from tests.strategies_networks import problem_of

SPEC = NetworkSpec(3, (Dense(5, "tanh"), Dense(2, "softmax")), "cross_entropy", dtype="float64")
_OF_THE_PROBLEM = {field.name for field in fields(Problem)}


@dataclass
class Run:
    """A plan, the state that it is in, and who writes its checkpoints."""

    plan: Plan
    state: State
    checkpointer: Checkpointer | None = None

    @property
    def parameters(self):
        return self.plan.problem.parameters

    @property
    def examples(self):
        return self.plan.problem.examples

    def but(self, **changes):
        """Return a training that begins where this one stands, with another plan."""
        own = {name: changes.pop(name) for name in _OF_THE_PROBLEM & changes.keys()}
        plan = replace(self.plan, problem=replace(self.plan.problem, **own), **changes)
        return Run(plan, State.of(plan))

    def events(self):
        return Loop(self.plan, self.state, self.checkpointer).events()


def training(engine, spec=SPEC, m=10, weighted=False, **changes):
    """Return a training of random examples; `changes` are fields of `Plan` and `Problem`."""
    given = {"examples": problem_of(spec, m, weighted=weighted).rounded(spec.dtype).examples}
    given |= {"optimizer": SGD(0.1), "epochs": 3, "batch_size": 4, "seed": 0, **changes}
    parameters = initial_parameters(spec, 0)
    own = {name: given.pop(name) for name in _OF_THE_PROBLEM & given.keys()}
    problem = replace(Problem(spec, parameters, own["examples"]), **own)
    plan = Plan(problem, engine=engine, **given)
    return Run(plan, State.of(plan))
