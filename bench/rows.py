"""Every row of the cost ledger, face by face."""

from bench import rows_persistence
from bench.row import Row

ROWS: list[Row] = [*rows_persistence.ROWS]
