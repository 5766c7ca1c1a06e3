"""The top of the page: what is predicted, from what, and how well."""

from chainrule.assessment.bootstrap import Interval
from chainrule.assessment.verdict import primary_measures, value_text, verdict
from chainrule.number_texts import count, fixed, listed, number, plain, share
from chainrule.report.markup import Html, element, join
from chainrule.report.subject import Subject


def summary(subject: Subject) -> Html:
    """Return the title, the verdict and the most important numbers."""
    found = verdict(subject.model, subject.judged)
    columns = subject.model.encoder.columns_
    kind = f"one of {len(subject.classes)} classes" if subject.classes else "a number"
    hidden = [
        str(size)
        for layer, size in zip(
            subject.model.network.spec.layers, subject.model.network.spec.sizes[1:], strict=True
        )
        if layer.has_weights
    ][:-1]
    network = (
        f"a network with {listed(hidden)} hidden units"
        if hidden
        else "a network without hidden units"
    )
    return element(
        "header",
        element("p", "Model report", class_="kicker"),
        element("h1", "Predicting ", element("em", subject.target)),
        element(
            "p",
            f"Each row’s {subject.target}, {kind}, is predicted from "
            f"{count(len(columns), 'column')} by {network}, trained on "
            f"{count(subject.n_trained, 'row')}.",
            class_="subtitle",
        ),
        element(
            "div",
            element("p", found.badge, class_="badge"),
            element("p", found.sentence, class_="sentence"),
            element("ul", join(element("li", one) for one in found.comparisons)),
            element("p", _CAUTION, class_="caution") if subject.part != "test" else None,
            class_=f"verdict {found.level}",
        ),
        element("dl", join(_tiles(subject)), class_="tiles"),
    )


_CAUTION = (
    "There are no test rows. The scores are those of the validation rows, which also determined "
    "when training stopped: expect slightly worse scores on new rows."
)


def _tiles(subject: Subject) -> list[Html]:
    scores = subject.judged.scores["network"]
    rows = subject.parts[subject.part].height
    if subject.classes:
        tiles = [
            _tile("Accuracy", share(scores["accuracy"].value), _between(scores["accuracy"], share)),
            _tile("ROC AUC", fixed(scores["roc_auc"].value), _between(scores["roc_auc"], fixed)),
        ]
    else:
        tiles = [
            _tile("RMSE", number(scores["rmse"].value), _between(scores["rmse"], number)),
            _tile("R²", fixed(scores["r2"].value), _between(scores["r2"], fixed)),
        ]
    tiles.append(_best_baseline(subject))
    judged = subject.judged.table.height
    drawn = "all of them scored" if judged == rows else f"a sample of {plain(judged)} scored"
    tiles.append(_tile(f"{subject.part.capitalize()} rows", plain(rows), drawn))
    return tiles


def _best_baseline(subject: Subject) -> Html:
    judged = subject.judged
    measure = primary_measures(judged)[0]
    sign = -1 if measure.greater_is_better else 1
    best = min(judged.compared, key=lambda name: sign * judged.scores[name][measure.key].value)
    found = judged.scores[best][measure.key]
    return _tile(
        f"Best baseline: {subject.baseline_names[best]}",
        value_text(measure, found.value),
        f"{measure.name}, {_between(found, lambda value: value_text(measure, value))}",
    )


def _tile(name: str, value: str, detail: str) -> Html:
    return element(
        "div", element("dt", name), element("dd", value, element("small", detail)), class_="tile"
    )


def _between(found: Interval, shown: object) -> str:
    if found.low != found.low or not callable(shown):
        return "no interval"
    return f"95% interval {shown(found.low)} to {shown(found.high)}"
