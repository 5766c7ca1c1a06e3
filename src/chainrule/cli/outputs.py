"""Writing the results of a run to its folder."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chainrule.runs.folder import RunFolder
    from chainrule.runs.training import PreparedRun, Run


def write(run: "PreparedRun", trained: "Run", folder: "RunFolder", report: bool) -> None:
    """Write the model, its history, its scores and predictions, its configuration, the report."""
    from chainrule.model.table_predictions import write_predictions
    from chainrule.runs.held_out import held_out_predictions

    trained.model.save(folder.model)
    trained.history.to_csv(folder.history)
    folder.write_config(trained.config, trained.command)
    folder.write_scores(trained.scores)
    write_predictions(held_out_predictions(trained.model, run.parts), folder.predictions)
    if report:
        from chainrule.report.page import write_report

        write_report(
            folder.report,
            trained.model,
            run.parts.tables(),
            numbers=run.parts.numbers,
            history=trained.history,
            command=trained.command,
            notes=(*run.notes, *trained.notes),
            versions=trained.model.details["versions"],
            seed=run.config.training.seed,
            judgement=trained.judgement,
        )
