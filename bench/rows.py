"""Every row of the cost ledger, face by face."""

from bench import rows_log, rows_oauth, rows_pages, rows_people, rows_persistence, rows_screens, rows_sharing, rows_web
from bench.row import Row

ROWS: list[Row] = [
    *rows_persistence.ROWS,
    *rows_people.ROWS,
    *rows_oauth.ROWS,
    *rows_pages.ROWS,
    *rows_screens.ROWS,
    *rows_sharing.ROWS,
    *rows_log.ROWS,
    *rows_web.ROWS,
]
