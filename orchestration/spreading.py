"""Reading deliveries on Spark's executors: one task a delivery.

Belongs here: the process that asks Spark, what it is begun with, sending readings and taking in what they come to.
Does not belong here: how a delivery is read (``ingestion``), what is kept of it: originals, rows and receipts are
written by whoever asked, so that nothing depends on which executor read what, or twice.

Executors run this program from the same place as the one that asks, and find the home's originals under the same path.
PySpark is imported in the process of its own only, as Great Expectations is in the gate's: neither can harm a run.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from ingestion import Intake, Reading, answered, made_of_sent, sent
from orchestration.settings import PROJECT_DIR, Settings
from orchestration.spark import NoSpark

_session: Any = None


class Executors:
    """Reads deliveries on Spark; its process starts when it is first asked to, and goes with ``close``.

    On a cluster it holds cores for as long as it is there: whoever lets Spark do anything else closes it before.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._pool: ProcessPoolExecutor | None = None

    def __call__(self, readings: Sequence[Reading]) -> list[Intake | Exception]:
        """What readings come to, in their order. Raises ``NoSpark`` where Spark does not answer for all of them."""
        log = self._settings.paths.run_log
        if self._pool is None:
            context = multiprocessing.get_context("spawn")
            started = (_configuration(self._settings), str(log))
            self._pool = ProcessPoolExecutor(1, mp_context=context, initializer=_begin, initargs=started)
        try:
            contents = self._pool.submit(_read, [sent(reading) for reading in readings]).result()
        except Exception as error:
            self.close()
            why = f"Spark ở {self._settings.spark_master} không đọc được các tệp đã nộp ({error})"
            raise NoSpark(f"{why}: xem {log}, kiểm tra cụm Spark rồi chạy lại") from None
        return [answered(content) for content in contents]

    def close(self) -> None:
        """Ends the process, and gives Spark's cores back."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None


def _configuration(settings: Settings) -> dict[str, str]:
    """What the session of intake is begun with; memory and the like are in ``spark-defaults.conf``."""
    environment = settings.dbt_environment()
    address = environment.get("SPARK_LOCAL_IP")
    return {
        "spark.app.name": "cchc intake",
        "spark.master": settings.spark_master,
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.log.level": "ERROR",
        "spark.executorEnv.PYTHONPATH": str(PROJECT_DIR),
        **({"spark.driver.host": address, "spark.driver.bindAddress": address} if address else {}),
    }


def _begin(configuration: Mapping[str, str], log: str) -> None:
    """In the process of its own: words of Java go into the run's log, and the process ends with whoever started it."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    for stream in (1, 2):
        os.dup2(written, stream)
    os.environ["PYSPARK_PYTHON"] = sys.executable  # of the executors too; another one knows nothing of this program
    from pyspark.sql import SparkSession

    global _session
    builder = SparkSession.builder
    for name, value in configuration.items():
        builder = builder.config(name, value)
    _session = builder.getOrCreate()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _read(contents: list[bytes]) -> list[bytes]:
    """Has each reading made by a task of its own. Raises ``RuntimeError``; what broke is in the run's log."""
    try:
        made: list[bytes] = _session.sparkContext.parallelize(contents, len(contents)).map(made_of_sent).collect()
    except Exception as error:  # one of Java's holds on to its process, and cannot be handed on
        traceback.print_exc()
        raise RuntimeError(type(error).__name__) from None
    return made
