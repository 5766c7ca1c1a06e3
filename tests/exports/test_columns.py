from chainrule.exports.columns import EXPORTED_KINDS
from chainrule.exports.numpy_columns import ENCODERS
from chainrule.tables.kinds import KINDS


def test_every_kind_of_column_can_be_exported():
    assert set(EXPORTED_KINDS) == set(KINDS)
    assert set(ENCODERS) == set(KINDS)
