"""What others may ask of the store: the console, REST and commands, which know the engine and not its tables.

A question reads in pages of a bounded number of rows and writes nothing; it may be asked of the server's own store, and
of a reader beside it.
"""

from mmsc.engine.queries.reports import LARGEST_PAGE as LARGEST_PAGE
from mmsc.engine.queries.reports import PAGE as PAGE
from mmsc.engine.queries.reports import SCREEN as SCREEN
from mmsc.engine.queries.reports import ReportLedger as ReportLedger
from mmsc.engine.queries.reports import ReportsPage as ReportsPage
from mmsc.engine.queries.reports import ReportsWanted as ReportsWanted
