"""One home, what may be asked of it, and the processes that serve it: what every stage and command is handed.

Belongs here: putting settings, units, deliveries, processes and the run's record together.
Does not belong here: what a stage does (``stages``), what is known of units and deliveries (``units``, ``deliveries``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from common.forms import use_forms_of
from expectations import GateWorker
from orchestration.dbt import DbtProcess
from orchestration.deliveries import Deliveries
from orchestration.journal import Journal, this_process
from orchestration.outcomes import RunRecord
from orchestration.settings import Settings
from orchestration.spark import is_engine
from orchestration.spreading import Executors
from orchestration.timing import Timings
from orchestration.units import ReportingUnits

if TYPE_CHECKING:
    from publication import Amendment


class Pipeline:
    """One home and the processes that serve it. Safe to build without doing anything; processes start when asked.

    ``asked_by`` is the login of whoever had the server run, for the journal.
    """

    def __init__(self, settings: Settings, timings: Timings | None = None, *, asked_by: str | None = None) -> None:
        self.settings = settings
        self.home = settings.paths
        use_forms_of(self.home.forms)
        self.units = ReportingUnits()
        self.deliveries = Deliveries(self.home, self.units)
        self.journal = Journal(self.home, this_process(asked_by))
        self.record = RunRecord()
        self.timings = timings or Timings()
        #: The word by which this run may revise locked quarters; without it they hold.
        self.amendment: Amendment | None = None
        #: Whether everything is made again, whatever stands already.
        self.full = False
        self.dbt = DbtProcess(settings)
        #: Read deliveries where Spark is the engine; None where they are read in this process.
        self.executors = Executors(settings) if is_engine(settings) else None
        self._gate: GateWorker | None = None

    def warm_up(self, *, gate: bool, dbt: bool) -> None:
        """Starts the processes a run will need, so that they get ready while deliveries are read."""
        if gate:
            self.gate()
        if dbt:
            self.dbt.start()

    def gate(self) -> GateWorker:
        """The process that Great Expectations lives in; started by the first call."""
        if self._gate is None:
            self._gate = GateWorker(environment=self.settings.dbt_environment())
        return self._gate

    def close(self) -> None:
        self.dbt.close()
        if self.executors is not None:
            self.executors.close()
        if self._gate is not None:
            self._gate.close()
            self._gate = None
