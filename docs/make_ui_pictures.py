"""Makes the pictures of Dagster's pages: ``python docs/make_ui_pictures.py HOME [NAME...]``, for a home whose last run
was held back by a gate; all of them where no picture is named.

Starts the server in that home with automation off, so that it does nothing by itself. Needs Chromium and its driver.
Belongs here: which pages are shown. Does not belong here: making the home.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
#: Dagster's pages draw themselves bit by bit and say nowhere that they are done.
_SECONDS_TO_DRAW = 15
#: Dagster draws for desktops only: on a phone its columns lie over one another.
_SIZE = "1600,950"
_JOB = "/locations/orchestration.definitions/jobs/quarter"


def main(home: Path, wanted: list[str]) -> None:
    """Draws the pages whose pictures are wanted."""
    environment = {**os.environ, "CCHC_HOME": str(home), "CCHC_AUTOMATION": "false"}
    command = [sys.executable, "-m", "orchestration.ui"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            address = next(line.split()[1] for line in server.stdout if line.startswith("ui: http"))
            for name, page, text in (
                (
                    "dagster-dong-du-lieu",
                    "/assets/published/report_annex?view=lineage&lineageScope=upstream&lineageDepth=2",
                    "",
                ),
                ("dagster-nguon-goc-cot", "/assets/published/report_annex?view=overview", "nguon_goc_cot"),
                ("dagster-kiem-tra", "/assets/marts/report_indicators?view=checks&checkDetail=rules", ""),
                ("dagster-bang", "/assets/published/report_annex?view=overview", ""),
                ("dagster-chay-lai", f"{_JOB}/partitions", ""),
                ("dagster-cac-luot-chay", "/runs", ""),
            ):
                if not wanted or name in wanted:
                    _draw(address + page, name, text)
        finally:
            server.send_signal(signal.SIGINT)
            server.communicate()


def _draw(url: str, name: str, text: str) -> None:
    """Draws a page, moved to where ``text`` stands on it."""
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", f"--window-size={_SIZE}"):
        options.add_argument(argument)
    with webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver")) as driver:
        driver.get(url)
        time.sleep(_SECONDS_TO_DRAW)
        for found in driver.find_elements(By.XPATH, f"//*[text()='{text}']")[-1:]:
            driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", found)
            time.sleep(1)
        driver.save_screenshot(str(IMAGES / f"{name}.png"))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
