import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from chainrule.runs.journal import Journal
from chainrule.runs.space import open_settings
from chainrule.runs.trial_study import GENERATION, TrialStudy, median_losses
from chainrule.runs.trials import COMPARED_AFTER
from tests.workers.runs import prepared


def finished(random, epochs, state=TrialState.COMPLETE):
    losses = {epoch: float(random.random()) for epoch in COMPARED_AFTER if epoch <= epochs}
    return optuna.trial.create_trial(state=state, value=0.5, intermediate_values=losses)


@pytest.mark.parametrize("count", [0, 4, 5, 6, 11])
def test_a_trial_is_ended_where_optunas_median_pruner_ends_it(count):
    random = np.random.default_rng(count)
    earlier = [finished(random, random.integers(4, 40)) for _ in range(count)]
    earlier.append(finished(random, 16, TrialState.PRUNED))
    medians = median_losses(earlier)
    study = optuna.create_study()
    study.add_trials(earlier)
    pruner = optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=4)
    for epoch in COMPARED_AFTER:
        for loss in (0.1, 0.4, 0.5, 0.6, 0.9):
            trial = finished(random, 0, TrialState.RUNNING)
            trial.intermediate_values = {epoch: loss}
            assert pruner.prune(study, trial) == (loss > medians.get(epoch, np.inf))


def test_what_a_trial_draws_depends_on_earlier_generations_alone(tmp_path):
    run = prepared(layers=None, batch_size=16)
    with Journal(tmp_path / "journal") as journal:
        study = TrialStudy(run, journal, open_settings(run.asked))
        generation = study.generation(0)
        forwards = [generation.drawn(index) for index in range(GENERATION)]
        backwards = [study.generation(0).drawn(index) for index in reversed(range(GENERATION))]
    assert forwards == backwards[::-1]
    assert len({str(drawn) for drawn in forwards}) == GENERATION
