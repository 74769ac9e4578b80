"""The reading of one delivery as a value, which another process may make, on another machine too.

Belongs here: all that a reading follows from, making it, and both ends of sending it.
Does not belong here: where readings are made (whoever takes in hands over ``Readers``), how a file is read
(``rows.intake``), what is kept of it (``engine``).
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from traceback import format_tb

from ingestion.base.contracts import Contract
from ingestion.base.limits import IntakeLimits
from ingestion.deliveries.landing import whole
from ingestion.rows.intake import read_delivery
from ingestion.rows.outcome import FileIdentity, Intake
from ingestion.rows.resolve import Context
from ingestion.rows.wholeness import CompletenessEvidence


@dataclass(frozen=True, slots=True)
class Reading:
    """A kept original and everything that decides how it is read; equal readings come to equal intakes.

    ``context`` carries the key that persons are hashed with: a reading is sent to nobody who may not know it.
    """

    original: Path
    suffix: str
    identity: FileIdentity
    contract: Contract
    context: Context
    limits: IntakeLimits
    evidence: CompletenessEvidence

    def make(self) -> Intake:
        """Reads the file. Raises ``DamagedError`` where it is not what was taken in; else only faults of the program
        and of the disk raise.
        """
        original = whole(self.original, self.identity.sha256)
        return read_delivery(
            original, self.suffix, self.identity, self.contract, self.context, self.limits, self.evidence
        )


#: What readings come to, in their order; of one that raises, what it raised. Raises what keeps all of them from being
#: made.
Readers = Callable[[Sequence[Reading]], Sequence[Intake | Exception]]


def sent(reading: Reading) -> bytes:
    return pickle.dumps(reading, pickle.HIGHEST_PROTOCOL)


class BrokeElsewhere(Exception):
    """Where in another process a reading broke: lines of the program, nothing of what was read."""


def made_of_sent(content: bytes) -> bytes:
    """The other end: reads, and answers with the intake, or with what was raised and where."""
    made: Intake | Exception
    where = ""
    try:
        made = pickle.loads(content).make()
    except Exception as error:  # it is told where the delivery is settled
        made, where = error, "".join(format_tb(error.__traceback__))
    try:
        return pickle.dumps((made, where), pickle.HIGHEST_PROTOCOL)
    except Exception:
        return pickle.dumps((RuntimeError(type(made).__name__), where), pickle.HIGHEST_PROTOCOL)


def answered(content: bytes) -> Intake | Exception:
    made: Intake | Exception
    made, where = pickle.loads(content)
    if isinstance(made, Exception):
        made.__cause__ = BrokeElsewhere(where)
    return made
