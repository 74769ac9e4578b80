"""The office's page in a real browser: a clerk's round trip in four steps, by keyboard, on a phone, for everybody.

The pages hold no scripts; the browser runs none while the clerk works.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl
import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from ingestion import outbox_folder
from orchestration.office import boxes, refresh
from orchestration.pipeline import Pipeline
from orchestration.settings import Settings
from orchestration.stages import ingest
from tests.pipeline.test_page_in_browser import BROWSER, DESKTOP, DRIVER, NEEDED, PHONE, Browser
from tests.support.office import serving

pytestmark = pytest.mark.skipif(not (BROWSER and DRIVER), reason=NEEDED)
UNIT, QUARTER, SOURCE = "945", "2023-Q1", "survey_responses"
HEAD = "Số phiếu;Hình thức;Ngày trả lời;Đánh giá chung\n"
ROWS = "P1;Phiếu giấy;10/01/2023;Hài lòng\nP2;Phiếu giấy;30/02/2023;không rõ\nP1;Phiếu giấy;10/01/2023;không rõ\n"
TODAY = dt.date(2023, 3, 12)
REVIEW = ("quyet-dinh-can-lay.xlsx", "du-thao/bao-cao.docx", "du-thao/diem-can-xem.xlsx")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = Browser(tmp_path_factory.mktemp("downloads"))
    yield found
    found.driver.quit()


@dataclass
class Office:
    pipeline: Pipeline
    address: str

    def read(self) -> None:
        """What the server does by itself a moment later."""
        ingest(self.pipeline, SOURCE, QUARTER, [UNIT])
        refresh(self.pipeline, QUARTER, TODAY)


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    settings = Settings(home=tmp_path / "home")
    settings.paths.create()
    for name in REVIEW:
        path = settings.home / "review" / UNIT / QUARTER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    with serving(settings) as port:
        yield Office(Pipeline(settings), f"http://127.0.0.1:{port}")


def open_at(browser: Browser, address: str, window: tuple[int, int, bool] = DESKTOP) -> None:
    width, height, mobile = window
    browser.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)
    browser.driver.get(address)


@dataclass
class Clerk:
    """Works by keyboard alone; every thing that a person would call a step is counted."""

    browser: Browser
    steps: list[str] = field(default_factory=list)

    def open(self, address: str) -> None:
        self.steps.append("opens the page of the unit")
        open_at(self.browser, address, PHONE)

    def reach(self, selector: str) -> None:
        """Goes on with Tab until the element has the focus."""
        wanted = self.browser.find(selector)
        for _ in range(80):
            if self.browser.focused == wanted:
                return
            self.browser.press(Keys.TAB)
        raise AssertionError(f"no way to {selector} by keyboard")

    def deliver(self, file: Path, source_vi: str | None) -> None:
        self.steps.append(f"chooses {file.name} and delivers it")
        self.reach("#nguon")
        if source_vi:
            self.browser.press(source_vi)
            assert Select(self.browser.find("#nguon")).first_selected_option.text == source_vi
        self.reach("#tep")
        self.browser.find("#tep").send_keys(str(file))  # the chooser of the system is not the page's
        self.reach("button[value=nop]")
        self.browser.press(Keys.ENTER)

    def open_workbook(self) -> Path:
        self.steps.append("opens the workbook that came back")
        before = set(self.browser.downloads.iterdir())
        self.reach("a[href$='tra-lai.xlsx']")
        self.browser.press(Keys.ENTER)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            new = [p for p in set(self.browser.downloads.iterdir()) - before if p.suffix == ".xlsx"]
            if new:
                return new[0]
            time.sleep(0.1)
        raise AssertionError("nothing was downloaded")


def test_a_clerks_round_trip_takes_four_steps(browser: Browser, office: Office, tmp_path: Path) -> None:
    delivered = tmp_path / "phieu-thang-1.csv"
    delivered.write_text(HEAD + ROWS, encoding="utf-8")
    clerk = Clerk(browser)
    browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
    try:
        clerk.open(f"{office.address}/don-vi/{QUARTER}/{UNIT}")
        clerk.deliver(delivered, "Phiếu khảo sát hài lòng")
        browser.until(lambda: browser.find("h1").text == "Đã nộp tệp “phieu-thang-1.csv”")
        said = browser.find("main").text
        for fault in ("Ngày không có thật", "Đánh giá chung không có trong danh sách", "Trùng Số phiếu với dòng 2"):
            assert fault in said, "all of them in the first round"
        workbook = clerk.open_workbook()
        book = openpyxl.load_workbook(workbook)
        sheet = book.worksheets[0]
        for row in sheet.iter_rows():
            cells = {cell.value: cell for cell in row}
            if "P2" in cells:
                cells["30/02/2023"].value, cells["không rõ"].value = "28/02/2023", "Hài lòng"
            elif "P1" in cells:
                cells["P1"].value, cells["không rõ"].value = "P3", "Hài lòng"
        book.save(workbook)
        clerk.deliver(workbook, None)  # the page still knows the source
        browser.until(lambda: "sẽ được nhận đủ" in browser.find("main").text)
    finally:
        browser.cdp("Emulation.setScriptExecutionDisabled", value=False)
    assert len(clerk.steps) <= 4, clerk.steps
    office.read()
    (box,) = [box for box in boxes(office.pipeline, QUARTER) if box.unit_code == UNIT]
    assert (box.rows_rejected, box.to_mend) == (0, ())
    assert sum(source.rows_accepted for source in box.sources) == 3


def pages(office: Office, browser: Browser, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Every kind of page and paper, as name and address, in a home where there is something of everything."""
    folder = office.pipeline.home.landing / UNIT / QUARTER / SOURCE
    folder.mkdir(parents=True)
    (folder / "phieu.csv").write_text(HEAD + ROWS, encoding="utf-8")
    (folder / "phieu-moi-rat-dai-ten-khong-co-dau-cach-de-xem-co-tran-man-hinh.csv").write_text(HEAD, encoding="utf-8")
    office.read()
    (folder / "cho-doc.csv").write_text(HEAD + ROWS, encoding="utf-8")
    paper = outbox_folder(office.pipeline.deliveries.paths, UNIT, QUARTER)
    unit = f"{office.address}/don-vi/{QUARTER}/{UNIT}"
    yield "overview", f"{office.address}/?ky={QUARTER}"
    yield "no deliveries", f"{office.address}/?ky=2024-Q1"
    yield "unit", unit
    yield "commune", unit.replace(UNIT, "31615")
    yield "error", f"{office.address}/khong-co"
    yield "receipt", (paper / "bien-nhan.html").as_uri()
    yield "reminder", (paper / "nhac-nop.html").as_uri()
    file = tmp_path / "thu.csv"
    file.write_text(HEAD + ROWS, encoding="utf-8")
    for button in ("thu", "nop"):
        browser.driver.get(unit)
        Select(browser.find("#nguon")).select_by_value(SOURCE)
        browser.find("#tep").send_keys(str(file))
        browser.find(f"button[value={button}]").click()
        browser.until(lambda: "/thu/" in browser.driver.current_url)
        yield {"thu": "tried", "nop": "delivered"}[button], browser.driver.current_url


def test_every_page_is_for_everybody_and_for_a_phone(browser: Browser, office: Office, tmp_path: Path) -> None:
    seen = {}
    for name, address in pages(office, browser, tmp_path):
        for window in (PHONE, DESKTOP):
            open_at(browser, address, window)
            assert len(browser.all("h1")) == 1, name
            wide = browser.run("return document.documentElement.scrollWidth > document.documentElement.clientWidth")
            assert not wide, (name, window)
            if address.startswith("http"):
                browser.cdp("Page.setBypassCSP", enabled=True)
                open_at(browser, address, window)
            assert browser.axe() == [], (name, window)
            browser.cdp("Page.setBypassCSP", enabled=False)
        seen[name] = browser.driver.title
    assert all(seen.values())
    assert len(seen) == 9
    said = [entry for entry in browser.driver.get_log("browser") if "404" not in entry["message"]]
    assert said == [], "the page's own rules forbid nothing that it needs"


def test_what_can_be_pressed_is_large_enough_for_a_finger(browser: Browser, office: Office) -> None:
    open_at(browser, f"{office.address}/don-vi/{QUARTER}/{UNIT}", PHONE)
    for control in browser.all("button, select, input[type=file]"):
        assert control.size["height"] >= 40, control.get_attribute("outerHTML")


def test_all_links_lead_somewhere(browser: Browser, office: Office) -> None:
    from tests.support.office import Visit

    visit = Visit(int(office.address.rpartition(":")[2]))
    open_at(browser, f"{office.address}/don-vi/{QUARTER}/{UNIT}")
    links = {link.get_attribute("href") for link in browser.all("a[href]")}
    assert sum("/xet/" in str(link) for link in links) == len(REVIEW)
    for link in links:
        path = str(link).removeprefix(office.address).partition("#")[0] or "/"
        assert visit.ask("GET", path).status == 200, link
