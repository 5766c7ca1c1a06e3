"""The embedding tables for those columns of an encoder that are category codes."""

from chainrule.network.layers import EmbeddedColumn
from chainrule.tables.encoder import TableEncoder


def embedded_columns(encoder: TableEncoder) -> list[EmbeddedColumn]:
    """Return which inputs of an encoder are category codes, with the sizes of their tables.

    Parameters
    ----------
    encoder : TableEncoder
        A fitted one. With `embed_above`, it turns columns of many categories into codes.

    Returns
    -------
    list of (column, codes, dimension)
        The argument of `CategoryEmbedding` and of the estimators' `embeddings`; empty if no input
        is a code.

    Examples
    --------
    >>> import chainrule as cr, polars as pl
    >>> from chainrule.model.embeddings import embedded_columns
    >>> from chainrule.tables.encoder import TableEncoder
    >>> table = pl.DataFrame({"size": [1.0, 2.0, 3.0, 4.0], "city": ["a", "b", "c", "a"]})
    >>> encoder = TableEncoder(embed_above=2, min_frequency=1).fit(table)
    >>> embedded_columns(encoder)   # one code for each city, and one for all others
    [EmbeddedColumn(column=1, codes=4, dimension=3)]
    >>> cr.CategoryEmbedding(embedded_columns(encoder))
    CategoryEmbedding([(1, 4, 3)])
    """
    found, place = [], 0
    for column in encoder.columns_:
        if column.embedding is not None:
            found.append(EmbeddedColumn(place, *column.embedding))
        place += column.width
    return found
