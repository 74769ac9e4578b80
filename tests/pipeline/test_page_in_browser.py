"""The pages for people in a real browser: read, searched, explained, printed, by mouse, keyboard and screen reader.

One Chromium serves the whole module. Every page is opened from disk with all network events recorded.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from publication import Draft, Published, make_draft
from publication.page import render_catalogue
from tests.integration.publication.conftest import LIGHT
from tests.integration.publication.publish_once import chosen_outputs
from tests.integration.publication.test_province import Province
from tests.pipeline.conftest import QUARTER, UNIT, indicators, release_of
from tests.unit.publication.builders import OTHER_UNIT

AXE = Path(__file__).parents[1] / "data" / "axe-core" / "axe.min.js"
BROWSER, DRIVER, PDF_TEXT = (shutil.which(name) for name in ("chromium", "chromedriver", "pdftotext"))
NEEDED = "needs Debian's packages chromium, chromium-driver and poppler-utils (make packages)"
DESKTOP, TABLET, PHONE = (1280, 900, False), (800, 1100, True), (360, 740, True)

pytestmark = pytest.mark.skipif(not (BROWSER and DRIVER and PDF_TEXT), reason=NEEDED)


class Browser:
    """Chromium, and what a test asks of it."""

    def __init__(self, downloads: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = str(BROWSER)
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(DRIVER)))
        self.driver.set_script_timeout(180)  # axe looks at every cell of the form, on a machine that does more
        self.downloads = downloads
        self.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(downloads))

    def cdp(self, command: str, **arguments: Any) -> Any:
        return self.driver.execute_cdp_cmd(command, arguments)

    def look(
        self, page: Path, *, window: tuple[int, int, bool] = DESKTOP, scheme: str = "light", place: str = ""
    ) -> None:
        """Open a page afresh."""
        width, height, mobile = window
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)
        self.cdp(
            "Emulation.setEmulatedMedia",
            features=[
                {"name": "prefers-color-scheme", "value": scheme},
                {"name": "prefers-reduced-motion", "value": "reduce"},
            ],
        )
        self.driver.get("about:blank")
        self.driver.get(page.as_uri() + place)

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def until(self, true: Callable[[], Any]) -> Any:
        return WebDriverWait(self.driver, 10, poll_frequency=0.05).until(lambda _: true())

    def press(self, *keys: str) -> None:
        ActionChains(self.driver).send_keys(*keys).perform()

    @property
    def focused(self) -> WebElement:
        return self.driver.switch_to.active_element

    def shown_codes(self) -> list[str]:
        return list(
            self.run(
                "return Array.from(document.querySelectorAll('#bang tr[data-code]'))"
                ".filter((row) => row.offsetParent !== null).map((row) => row.dataset.code)"
            )
        )

    def axe(self, within: str = "html") -> list[str]:
        """Serious and critical findings of axe, one line each."""
        self.run(AXE.read_text(encoding="utf-8"))
        found = self.driver.execute_async_script(
            "axe.run(arguments[0], {resultTypes: ['violations']}).then(arguments[1])", within
        )
        assert len(found["passes"]) > 5
        return [
            f"{finding['id']}: {node['html']}"
            for finding in found["violations"]
            if finding["impact"] in ("serious", "critical")
            for node in finding["nodes"]
        ]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    found = Browser(tmp_path_factory.mktemp("downloads"))
    yield found
    found.driver.quit()


@pytest.fixture(autouse=True)
def _quiet(browser: Browser) -> Iterator[None]:
    """After every test: no message on the console, and nothing asked for but the page's own file."""
    yield
    assert browser.driver.get_log("browser") == []
    asked = {
        message["params"]["request"]["url"].split("#")[0]
        for message in _messages(browser)
        if message["method"] == "Network.requestWillBeSent"
    }
    assert {url for url in asked if not url.startswith(("file:", "blob:", "about:"))} == set()
    pages = {url.rsplit("/", 1)[-1] for url in asked if url.startswith("file:")}
    assert {name for name in pages if not re.fullmatch(r"(?:index|dictionary|ra-soat|[0-9]{5})\.html", name)} == set()


def _messages(browser: Browser) -> list[dict[str, Any]]:
    return [json.loads(entry["message"])["message"] for entry in browser.driver.get_log("performance")]


@pytest.fixture(scope="module")
def page(published_home: Path) -> Path:
    release = release_of(published_home)
    assert release is not None
    return release / "report" / "index.html"


@pytest.fixture(scope="module")
def passports(page: Path) -> Any:
    return json.loads((page.parents[1] / "quality" / "passports.json").read_bytes())


# --- reading ----------------------------------------------------------------------------------------------------------


def test_all_rows_are_there_and_said(browser: Browser, page: Path) -> None:
    browser.look(page)
    assert len(browser.shown_codes()) == 211
    assert browser.find("#tim-thay").text == "Đang xem tất cả 211 dòng."
    assert browser.find("h1").text == "Kết quả công tác cải cách hành chính quý I năm 2023"
    assert browser.find("tr[data-code='III.23'] .value").text == "1.145"
    assert [card.text for card in browser.all(".card .value")][:4] == ["47,37", "100", "1.145", "611"]
    assert len(browser.all("figure svg")) == 11


def test_it_reads_without_scripts(browser: Browser, page: Path) -> None:
    browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.look(page)
        rows = browser.all("#bang tr[data-code]")
        assert sum(row.is_displayed() for row in rows) == 211
        assert browser.find(".footnotes").is_displayed()
        assert not any(control.is_displayed() for control in browser.all("form.controls, .origin button, dialog"))
    finally:
        browser.cdp("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("window", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_nothing_is_wider_than_the_screen(window: tuple[int, int, bool], browser: Browser, page: Path) -> None:
    browser.look(page, window=window)
    assert browser.run("return document.documentElement.scrollWidth <= document.documentElement.clientWidth")
    wide = browser.run(
        "return Array.from(document.querySelectorAll('#bang *, .card *, figure > *, form *, h1, h2, h3'))"
        ".filter((e) => e.getClientRects().length && !e.closest('.unseen, thead')"
        " && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 120))"
    )
    assert wide == []


def test_from_the_report_to_a_commune_and_back_without_scripts(browser: Browser, page: Path) -> None:
    browser.cdp("Emulation.setScriptExecutionDisabled", value=True)
    try:
        browser.look(page, window=PHONE)
        browser.find("#cac-don-vi tbody tr:nth-child(2) a").click()
        assert browser.find("h1").text == "Giải quyết thủ tục hành chính quý I năm 2023"
        assert browser.find(".office").text.lower() == "xã an thạnh 1, huyện cù lao dung"
        received = browser.find("[data-line='received'][data-figure='own']")
        assert (received.text, received.is_displayed()) == ("774", True)
        browser.find("header a[href='../index.html']").click()
        assert browser.find("h1").text.startswith("Kết quả công tác")
    finally:
        browser.cdp("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("window", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_nothing_of_a_commune_is_wider_than_the_screen(
    window: tuple[int, int, bool], browser: Browser, page: Path
) -> None:
    for unit in sorted((page.parent / "don-vi").glob("*.html"))[:2]:
        browser.look(unit, window=window)
        wide = browser.run(
            "return Array.from(document.querySelectorAll('main *, header *'))"
            ".filter((e) => e.getClientRects().length && !e.closest('.unseen, thead')"
            " && e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML.slice(0, 120))"
        )
        assert wide == []


# --- search and filters -----------------------------------------------------------------------------------------------


def search(browser: Browser, text: str) -> list[str]:
    field = browser.find("#tim")
    field.clear()
    field.send_keys(text)
    browser.until(lambda: browser.find("#tim-thay").text.startswith("Tìm thấy"))
    time.sleep(0.2)  # the page waits for a pause in typing
    return browser.shown_codes()


#: What is looked for, and the rows that are found.
SEARCHES = {
    "hồ sơ TTHC do UBND cấp huyện tiếp nhận": ["III.01", "III.23", "III.25"],
    "ho so tthc do ubnd cap huyen tiep nhan": ["III.01", "III.23", "III.25"],
    "DUNG HAN": ["I.01", "I.20", "III.01", "III.25", "III.28"],
    "đúng hạn cấp xã": ["III.01", "III.28"],
    "iii.23": ["III.01", "III.23"],
    "1.145": ["III.01", "III.23"],
    "đơn giản hóa": ["III.01", "III.05"],
    "trễ hẹn": ["I.01", "I.21"],
    "thủ tục hành chính cấp huyện tiếp nhận": ["III.01", "III.23", "III.25"],
    "quan ly chat luong": ["VII.01", "VII.57", "VII.60"],
    "khong co dong nao nhu the": [],
}


@pytest.mark.parametrize("window", [DESKTOP, TABLET, PHONE], ids=["desktop", "tablet", "phone"])
def test_search_with_and_without_marks(window: tuple[int, int, bool], browser: Browser, page: Path) -> None:
    browser.look(page, window=window)
    for text, found in SEARCHES.items():
        assert search(browser, text) == found, text
        # The rows that open a part stand above what was found.
        matching = sum(not code.endswith(".01") for code in found)
        assert browser.find("#tim-thay").text == f"Tìm thấy {matching} trên 211 dòng."
        assert browser.find(".nothing").is_displayed() == (not found)
        browser.find("button[type=reset]").click()
        browser.until(lambda: browser.find("#tim-thay").text.startswith("Đang xem"))


def test_filters_by_section_and_status_and_back(browser: Browser, page: Path) -> None:
    figures = indicators(page.parents[1]).values()
    browser.look(page)
    Select(browser.find("#phan")).select_by_value("VII")
    Select(browser.find("#trang-thai")).select_by_value("not_reported")
    wanted = [row["indicator_code"] for row in figures if row["section"] == "VII" and row["status"] == "not_reported"]
    assert browser.shown_codes() == ["VII.01", *wanted]
    Select(browser.find("#phan")).select_by_value("")
    Select(browser.find("#trang-thai")).select_by_value("+explained")
    assert "III.27" in browser.shown_codes()
    assert len(browser.shown_codes()) < 20
    browser.find("button[type=reset]").click()
    browser.until(lambda: len(browser.shown_codes()) == 211)


def test_a_link_leads_to_its_row_even_when_that_is_filtered_out(browser: Browser, page: Path) -> None:
    browser.look(page, place="#VII.35")
    row = browser.find("tr[data-code='VII.35']")
    top = browser.run("return arguments[0].getBoundingClientRect().top", row)
    assert 0 < top < DESKTOP[1]
    assert search(browser, "thanh tra")
    assert not row.is_displayed()
    browser.run("location.hash = '#III.23'")
    browser.until(lambda: browser.find("tr[data-code='III.23']").is_displayed())
    assert len(browser.shown_codes()) == 211


# --- passports --------------------------------------------------------------------------------------------------------


def test_the_passport_opens_and_closes_by_keyboard(browser: Browser, page: Path) -> None:
    browser.look(page)
    button = browser.find("button[data-passport='III.23']")
    browser.run("arguments[0].focus()", button)
    browser.press(Keys.ENTER)
    dialog = browser.find("#nguon-goc")
    assert dialog.is_displayed()
    assert browser.focused.get_attribute("id") == "nguon-goc-h"
    assert browser.focused.text == "III.23 · Số hồ sơ TTHC do UBND cấp huyện tiếp nhận"
    for _ in range(12):  # Focus stays in the dialog (or the browser's own bar), never on the page behind.
        browser.press(Keys.TAB)
        assert browser.run("const e = document.activeElement; return e === document.body || !!e.closest('dialog')")
    browser.press(Keys.ESCAPE)
    assert not dialog.is_displayed()
    assert browser.focused == button


def test_a_click_on_the_figure_opens_it_too(browser: Browser, page: Path) -> None:
    browser.look(page, place="#I.02")
    browser.find("tr[data-code='I.02'] .value").click()
    body = browser.find("#nguon-goc .dialog-body").text
    assert body.startswith("47,37")
    browser.find("dialog button.close").click()
    assert not browser.find("#nguon-goc").is_displayed()
    assert browser.focused.get_attribute("data-passport") == "I.02"


def test_every_figure_has_a_passport_that_shows_formula_counts_and_decisions(
    browser: Browser,
    page: Path,
    passports: Any,
) -> None:
    browser.look(page)
    shown = browser.run("""
        const found = {};
        for (const button of document.querySelectorAll("#bang [data-passport]")) {
          button.click();
          found[button.dataset.passport] = document.querySelector("#nguon-goc .dialog-body").textContent;
        }
        document.getElementById("nguon-goc").close();
        return found;""")
    figures = indicators(page.parents[1]).values()
    assert set(shown) == {row["indicator_code"] for row in figures if row["kind"] != "heading"}
    for code, text in shown.items():
        passport = passports["figures"][code]
        told = [
            passport["printed"] or "Để trống",
            passport["formula_vi"],
            passport["status_vi"],
            *passport["notes_vi"],
            *(decision["text_vi"] for decision in passport["decisions"]),
            *(f"{share['count']} dòng" for part in passport["parts"] for share in part["files"]),
        ]
        assert [words for words in told if words not in text] == [], code


def test_a_part_leads_to_its_own_passport(browser: Browser, page: Path) -> None:
    browser.look(page)
    browser.run("document.querySelector(\"[data-passport='VI.04']\").click()")
    browser.find("#nguon-goc .dialog-body [data-passport='VI.06']").click()
    assert browser.find("#nguon-goc-h").text.startswith("VI.06 · ")
    assert browser.focused.get_attribute("id") == "nguon-goc-h"


def test_the_rows_behind_a_figure_are_saved_as_csv(browser: Browser, page: Path, passports: Any) -> None:
    browser.look(page)
    browser.run("document.querySelector(\"[data-passport='III.25']\").click()")
    browser.find("button.save").click()
    saved = browser.downloads / "nguon-goc_945_2023-Q1_III.25.csv"
    browser.until(saved.exists)
    lines = list(csv.DictReader(io.StringIO(saved.read_bytes().decode("utf-8-sig"), newline="")))
    parts = passports["figures"]["III.25"]["parts"]
    assert len(lines) == sum(share["count"] for part in parts for share in part["files"])
    counted = [line for line in lines if line["role"] == "value"]
    assert len(counted) == 611
    assert {(line["file_name"][:27], line["sheet"]) for line in counted} == {("one_stop_cases-2023-Q1-945-", "trang 1")}
    assert len({line["row"] for line in counted}) == 611
    assert all(line["row"].isdigit() and len(line["sha256"]) == 64 for line in lines)


def test_a_page_too_large_for_its_rows_says_where_they_are(browser: Browser, page: Path, tmp_path: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert 'data-rows="held"' in text
    smaller = tmp_path / "index.html"
    smaller.write_text(text.replace('data-rows="held"', 'data-rows="left-out"'), encoding="utf-8")
    browser.look(smaller)
    browser.run("document.querySelector(\"[data-passport='III.25']\").click()")
    body = browser.find("#nguon-goc .dialog-body")
    assert "Danh sách dòng quá dài nên không đặt trong trang" in body.text
    assert "611 dòng" in body.text
    assert browser.all("button.save, #nguon-goc .rows") == []


# --- taken elsewhere --------------------------------------------------------------------------------------------------


def test_a_copied_table_has_no_dots_that_another_country_reads_as_decimals(browser: Browser, page: Path) -> None:
    browser.look(page)
    browser.run(
        "document.execCommand = () => { window.copied = document.activeElement.value; return true; };"
        "document.querySelector('#cac-don-vi .copy button').click()"
    )
    head, *lines = [line.split("\t") for line in browser.run("return window.copied").split("\n")]
    assert head[0] == "Đơn vị"
    shown = [
        [cell.text for cell in line.find_elements(By.CSS_SELECTOR, "th, td")]
        for line in browser.all("#cac-don-vi tbody tr")
    ]
    assert [[cell.replace(".", "") for cell in line] for line in shown] == lines
    assert any("." in cell for line in shown for cell in line)


def test_an_embedded_chart_says_how_final_it_is_and_leads_to_what_became_of_it(
    browser: Browser, page: Path, tmp_path: Path
) -> None:
    text = page.read_text(encoding="utf-8")
    provisional = tmp_path / "index.html"
    standing, release = (
        '<p class="office" data-part="standing"><b>SỐ LIỆU TẠM THỜI</b></p>',
        '<p class="facts" data-part',
    )
    provisional.write_text(text.replace(release, standing + release), encoding="utf-8")
    for place, said in ((page, []), (provisional, ["SỐ LIỆU TẠM THỜI"])):
        browser.look(place, place="#nhung-dung-han")
        assert len(browser.all("main figure")) == 1
        assert [part.text for part in browser.all("main [data-part=standing]") if part.is_displayed()] == said
        (source,) = browser.all("main > .by")
        assert "Bản công bố r1" in source.text
        links = [str(link.get_attribute("href")) for link in source.find_elements(By.CSS_SELECTOR, "a")]
        assert links == [place.as_uri(), links[1]]
        assert links[1].endswith(f"index.html#b-{UNIT}-{QUARTER}")


# --- for everyone -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("window", "scheme"),
    [
        (DESKTOP, "light"),
        pytest.param(DESKTOP, "dark", marks=pytest.mark.long),
        pytest.param(PHONE, "light", marks=pytest.mark.long),
        (PHONE, "dark"),
    ],
)
def test_axe_finds_nothing_serious(window: tuple[int, int, bool], scheme: str, browser: Browser, page: Path) -> None:
    browser.look(page, window=window, scheme=scheme)
    browser.run("for (const part of document.querySelectorAll('details')) part.open = true;")
    assert browser.axe() == []
    browser.run("document.querySelector(\"[data-passport='III.25']\").click()")
    assert browser.axe("#nguon-goc") == []


@pytest.fixture(scope="module")
def others(published_home: Path, page: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Every other page that is given to somebody, by what it is. A draft's list and a province's page are made here."""
    folder = tmp_path_factory.mktemp("other-pages")
    province = Province(folder / "province")
    for unit in (UNIT, OTHER_UNIT):
        province.publish_unit(unit)
    told = province.roll_up()
    assert isinstance(told, Published)
    candidates = published_home / "warehouse" / "candidates" / UNIT / QUARTER
    (candidate,) = (path for path in candidates.iterdir() if path.is_dir())
    verdicts = published_home / "warehouse" / "verdicts" / UNIT / QUARTER
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("publication.outputs.OUTPUTS", chosen_outputs(LIGHT))
        patch.setattr("publication.drafts._write_documents", lambda *_: None)
        draft = make_draft(
            folder / "none-yet", candidate, verdicts, folder / "draft", unit=UNIT, quarter=QUARTER, code_version="1.0"
        )
    assert isinstance(draft, Draft)
    return {
        "catalogue": [published_home / "published" / "index.html"],
        "dictionary": [published_home / "published" / "dictionary.html"],
        "history": [published_home / "history" / "index.html"],
        "communes": sorted((page.parent / "don-vi").glob("*.html")),
        "province": [told.release.path / "report" / "index.html"],
        "review": [folder / "draft" / "ra-soat.html"],
    }


@pytest.mark.parametrize("kind", ["catalogue", "dictionary", "history", "communes", "province", "review"])
@pytest.mark.parametrize(
    ("window", "scheme", "most"),
    [
        (PHONE, "dark", 1),
        *(
            pytest.param(window, scheme, None, marks=pytest.mark.long)
            for window in (PHONE, TABLET, DESKTOP)
            for scheme in ("light", "dark")
        ),
    ],
)
def test_axe_finds_nothing_serious_on_any_other_page(
    kind: str,
    window: tuple[int, int, bool],
    scheme: str,
    most: int | None,
    browser: Browser,
    others: dict[str, list[Path]],
) -> None:
    assert others[kind]
    for other in others[kind][:most]:
        browser.look(other, window=window, scheme=scheme)
        browser.run("for (const part of document.querySelectorAll('details')) part.open = true;")
        assert browser.axe() == [], other
        assert browser.run("return document.documentElement.scrollWidth <= window.innerWidth"), other


def test_the_skip_link_and_the_headings_lead_through_the_page(browser: Browser, page: Path) -> None:
    browser.look(page)
    browser.press(Keys.TAB)
    assert browser.focused.text == "Đến bảng số liệu"
    browser.press(Keys.ENTER)
    assert browser.run("return location.hash") == "#so-lieu"
    levels = browser.run("return Array.from(document.querySelectorAll('main h2, main h3')).map((h) => h.tagName)")
    assert levels[0] == "H2"
    parts = browser.run("return Array.from(document.querySelectorAll('main > section')).map((part) => '#' + part.id)")
    assert [link.get_dom_attribute("href") for link in browser.all("nav a")] == parts
    assert levels.count("H2") == len(parts)
    heads = browser.run("return Array.from(document.querySelectorAll('table th')).every((h) => h.scope !== '')")
    assert heads


def test_on_paper_stand_all_rows_whatever_is_filtered(browser: Browser, page: Path, tmp_path: Path) -> None:
    browser.look(page)
    assert search(browser, "khong co dong nao nhu the") == []
    pdf = tmp_path / "page.pdf"
    pdf.write_bytes(base64.b64decode(browser.cdp("Page.printToPDF", preferCSSPageSize=True)["data"]))
    text = subprocess.run([str(PDF_TEXT), "-raw", str(pdf), "-"], capture_output=True, check=True).stdout.decode()
    for row in indicators(page.parents[1]).values():
        assert row["indicator_code"] in text
    assert "611" in text
    assert "Theo Công văn số 112/UBND-VP ngày 15/03/2023" in " ".join(text.split())
    assert "Bỏ lọc" not in text
    size = subprocess.run(["pdfinfo", str(pdf)], capture_output=True, check=True).stdout.decode()
    assert "595.92 x 841.92" in size or "A4" in size


# --- the page over all releases ---------------------------------------------------------------------------------------


def test_the_index_leads_to_the_report(browser: Browser, published_home: Path) -> None:
    browser.look(published_home / "published" / "index.html")
    browser.find("tr[data-unit='945'] a").click()
    assert browser.find("h1").text.endswith("quý I năm 2023")


@pytest.mark.parametrize("window", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_the_index_is_searched_by_name_and_quarter(
    window: tuple[int, int, bool], browser: Browser, tmp_path: Path
) -> None:
    entries = [
        {
            "unit_code": str(unit),
            "unit_name_vi": name,
            "quarter": quarter,
            "release": 1,
            "path": "x",
            "manifest_sha256": "",
            "published_at": None,
            "files": {},
            "provisional": False,
        }
        for quarter in ("2022-Q4", "2023-Q1")
        for unit, name in ((945, "Huyện Cù Lao Dung"), (941, "Huyện Kế Sách"), (950, "Thị xã Ngã Năm"))
    ]
    page = tmp_path / "index.html"
    page.write_bytes(render_catalogue(entries))
    browser.look(page, window=window)
    browser.find("#tim").send_keys("cu lao")
    browser.until(lambda: browser.find("#tim-thay").text == "Tìm thấy 2 trên 6 báo cáo.")
    Select(browser.find("#quy")).select_by_value("2023-Q1")
    assert browser.find("#tim-thay").text == "Tìm thấy 1 trên 6 báo cáo."
    assert [row.get_attribute("data-unit") for row in browser.all("tbody tr") if row.is_displayed()] == ["945"]
    browser.find("button[type=reset]").click()
    browser.until(lambda: browser.find("#tim-thay").text == "Đang xem tất cả 6 báo cáo.")
