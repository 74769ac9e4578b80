"""Makes the pictures of the guides from real templates, rejection workbooks and a release's letter.

``python docs/make_pictures.py [RELEASE [WORKBOOK]]`` writes ``docs/images/*.png``; those of the letter only where the
folder of a release of the sample is named, that of the decisions to take only where such a workbook is
(``review/945/2023-Q1/quyet-dinh-can-lay.xlsx`` of a home that ran the sample without its decisions). Needs LibreOffice
(``soffice``), Poppler (``pdftoppm``) and Chromium.
Belongs here: the invented deliveries that the pictures show. Does not belong here: anything that makes a workbook.
"""

from __future__ import annotations

import base64
import io
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
from openpyxl.styles import Border, Side

ROOT = Path(__file__).resolve().parent.parent
IMAGES = ROOT / "docs" / "images"
UNIT, QUARTER = "945", "2023-Q1"
_PAGE = ("-f", 1, "-l", 1, "-singlefile")
_CASES = ["Số hồ sơ", "Mã TTHC", "Đơn vị tiếp nhận", "Ngày tiếp nhận", "Ngày kết thúc xử lý", "Trạng thái", "Hình thức"]
_UNIT = "Xã An Thạnh 1"
_CASE_ROWS = [
    ["000.12.44.H51-230206-0007", "{code}", _UNIT, "06/02/2023", "08/02/2023", "Đã trả kết quả", "Trực tiếp"],
    ["000.12.44.H51-230207-0009", "{code}", "An Thạnh Một", "07/02/2023", "09/02/2023", "Đã trả kết quả", "Trực tuyến"],
    ["000.12.44.H51-230210-0011", "{code}", _UNIT, "10/02/2023", "30/02/2023", "Đã trả kết quả", "Trực tiếp"],
    ["000.12.44.H51-230213-0012", "{code}", _UNIT, "13/02/2023", None, "Xong", "Trực tiếp"],
    ["000.12.44.H51-230216-0014", "{code}", _UNIT, "16/02/2023", "14/02/2023", "Đã giải quyết", "Trực tiếp"],
]


def main() -> None:
    """Makes every picture again."""
    from ingestion import ReferenceData, check_file, write_template
    from ingestion.base.paths import IngestPaths
    from sample import write_sample

    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="pictures-") as name:
        folder = Path(name)
        paths = IngestPaths(folder / "landing", folder / "raw", folder / "outbox")
        write_sample(paths.landing, [QUARTER])
        reference = ReferenceData.load(ROOT / "dbt_project" / "seeds")
        template = write_template(paths, "one_stop_cases", UNIT, QUARTER, reference=reference)
        draw(first_columns(template, "Số liệu", 9, 15), "mau-so-lieu", folder)
        draw(only_sheet(template, "Hướng dẫn"), "mau-huong-dan", folder, 120)
        code = openpyxl.load_workbook(io.BytesIO(template))["Danh mục"]["A4"].value
        delivered = folder / "ho-so-thang-2.xlsx"
        book = openpyxl.Workbook()
        for row in [["UBND XÃ AN THẠNH 1"], [], _CASES, *_CASE_ROWS]:
            book.active.append([code if cell == "{code}" else cell for cell in row])
        book.save(delivered)
        found = check_file(paths, "one_stop_cases", delivered, UNIT, QUARTER, reference=reference)
        assert found.workbook is not None
        draw(found.workbook, "dong-bi-tra-lai", folder)
        wrong = folder / "bao-cao.xlsx"
        book = openpyxl.Workbook()
        for row in [["UBND XÃ AN THẠNH 1"], ["STT", "Số hồ sơ", "Ngày tiếp nhận"], [1, "x", "06/02/2023"]]:
            book.active.append(row)
        book.save(wrong)
        refused = check_file(paths, "one_stop_cases", wrong, UNIT, QUARTER, reference=reference)
        assert refused.workbook is not None
        draw(refused.workbook, "tep-bi-tra-lai", folder)
        draw_office(folder / "home")
    for release in map(Path, sys.argv[1:2]):
        draw_page(release / "report" / "report.pdf", 1, "bao-cao-trang-1")
        draw_page(release / "report" / "report.pdf", 16, "bao-cao-phu-luc")
        draw_page(release / "report" / "phieu-trinh.pdf", 1, "phieu-trinh")
        draw_release_page(release / "report" / "index.html", "trang-bao-cao")
    for workbook in map(Path, sys.argv[2:3]):
        with tempfile.TemporaryDirectory(prefix="pictures-") as name:
            draw(first_decisions(workbook.read_bytes()), "quyet-dinh-can-lay", Path(name), 75)


def only_sheet(data: bytes, sheet_name: str) -> bytes:
    """The workbook with one of its sheets."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    for sheet in book.worksheets:
        if sheet.title != sheet_name:
            del book[sheet.title]
    return _saved(book)


def first_columns(data: bytes, sheet_name: str, columns: int, rows: int) -> bytes:
    """One sheet of the workbook, printed up to a column and row, on a page as wide as that."""
    book = openpyxl.load_workbook(io.BytesIO(only_sheet(data, sheet_name)))
    sheet: Any = book[sheet_name]
    sheet.data_validations.dataValidation = []
    line = Side(style="thin", color="C0C0C0")
    head = next(row[0].row for row in sheet.iter_rows() if row[1].value)
    for row in sheet.iter_rows(min_row=head + 1, max_row=rows, max_col=columns):
        for cell in row:
            cell.border = Border(left=line, right=line, top=line, bottom=line)
    sheet.print_area = f"A1:{openpyxl.utils.get_column_letter(columns)}{rows}"
    return _saved(book)


def first_decisions(data: bytes) -> bytes:
    """The sheet of lines of a workbook of decisions, printed from its title to the sixth line."""
    book = openpyxl.load_workbook(io.BytesIO(only_sheet(data, "Quyết định")))
    sheet: Any = book.active
    sheet.data_validations.dataValidation = []
    numbers = [row[0].row for row in sheet.iter_rows() if str(row[0].value).isdigit()]
    last = sheet.print_area.rpartition("$")[0].rpartition(":")[2].strip("$")
    sheet.print_area = f"A1:{last}{numbers[:6][-1]}"
    return _saved(book)


def _saved(book: openpyxl.Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def draw(workbook: bytes, name: str, folder: Path, dots: int = 140) -> None:
    """Prints the workbook's first page as ``docs/images/<name>.png``, without the empty margin."""
    source = folder / f"{name}.xlsx"
    source.write_bytes(workbook)
    _run(
        "soffice",
        "--headless",
        f"-env:UserInstallation=file://{folder}/office",
        "--convert-to",
        "pdf",
        "--outdir",
        str(folder),
        str(source),
    )
    left, top, width, height = printed_box(folder / f"{name}.pdf", folder / name, dots)
    _run(
        "pdftoppm",
        "-r",
        dots,
        *_PAGE,
        "-x",
        left,
        "-y",
        top,
        "-W",
        width,
        "-H",
        height,
        "-png",
        folder / f"{name}.pdf",
        IMAGES / name,
    )
    sys.stdout.write(f"{IMAGES / name}.png\n")


def draw_office(home: Path) -> None:
    """The office's page of a unit with something to mend, and what it answers to a delivery, in a browser."""
    import datetime as dt

    from orchestration.office import refresh
    from orchestration.pipeline import Pipeline
    from orchestration.settings import Settings
    from orchestration.stages import ingest
    from tests.support.office import Visit, serving

    settings = Settings(home=home)
    settings.paths.create()
    head = "Số phiếu;Hình thức;Ngày trả lời;Đánh giá chung\n"
    rows = "P1;Phiếu giấy;10/01/2023;Hài lòng\nP2;Phiếu giấy;30/02/2023;Hài lòng\n"
    for source, name, text in (("survey_responses", "phieu-thang-1.csv", head + rows), ("org_units", "don-vi.csv", "")):
        path = settings.paths.landing / UNIT / QUARTER / source / name
        path.parent.mkdir(parents=True)
        path.write_text(text, encoding="utf-8")
        os.utime(path, (1_678_000_000, 1_678_000_000))
    pipeline = Pipeline(settings)
    for source in ("survey_responses", "org_units"):
        ingest(pipeline, source, QUARTER, [UNIT])
    refresh(pipeline, QUARTER, dt.date(2023, 3, 12))
    with serving(settings) as port:
        place = f"{QUARTER}/{UNIT}"
        shoot(f"http://127.0.0.1:{port}/don-vi/{place}", "trang-don-vi", 1000, 1000, home.parent)
        visit = Visit(port)
        fields = {"csrf": visit.token(f"/don-vi/{place}"), "nguon": "survey_responses", "viec": "nop"}
        sent = ("phieu-thang-2.csv", (head + rows.replace("P1", "P3").replace("P2", "P1")).encode())
        answer = visit.post(f"/don-vi/{place}/tep", fields, sent, follow=False)
        shoot(f"http://127.0.0.1:{port}{answer.headers['location']}", "trang-da-nop", 1000, 820, home.parent)
        shoot(f"http://127.0.0.1:{port}/?ky={QUARTER}", "trang-cac-don-vi", 1000, 560, home.parent)


def shoot(address: str, name: str, width: int, height: int, folder: Path) -> None:
    """What a browser shows at an address, as ``docs/images/<name>.png``."""
    _run(
        "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
        "--disable-background-networking", "--hide-scrollbars", f"--user-data-dir={folder}/browser",
        f"--window-size={width},{height}", f"--screenshot={IMAGES / name}.png", address,
    )  # fmt: skip
    sys.stdout.write(f"{IMAGES / name}.png\n")


def draw_release_page(page: Path, name: str) -> None:
    """The page of a release on a desktop, in the dark, on a phone and on paper, each from its beginning."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = str(shutil.which("chromium"))
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--hide-scrollbars"):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(str(shutil.which("chromedriver"))))
    try:
        for look, width, phone, scheme, scale in (
            ("may-tinh", 1280, False, "light", 0.6), ("toi", 1280, False, "dark", 0.6),
            ("dien-thoai", 390, True, "light", 0.8),
        ):  # fmt: skip
            size = {"width": width, "height": 1500, "deviceScaleFactor": scale, "mobile": phone}
            driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
            features = [{"name": "prefers-color-scheme", "value": scheme}]
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
            driver.get(page.resolve().as_uri())
            shown = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})
            (IMAGES / f"{name}-{look}.png").write_bytes(base64.b64decode(shown["data"]))
        printed = driver.execute_cdp_cmd("Page.printToPDF", {"preferCSSPageSize": True, "printBackground": True})
    finally:
        driver.quit()
    with tempfile.TemporaryDirectory(prefix="pictures-") as folder:
        pdf = Path(folder) / "page.pdf"
        pdf.write_bytes(base64.b64decode(printed["data"]))
        draw_page(pdf, 1, f"{name}-in")


def draw_page(pdf: Path, page: int, name: str) -> None:
    """Prints one page of a PDF, small and whole, as ``docs/images/<name>.png``."""
    _run("pdftoppm", "-r", 55, "-f", page, "-l", page, "-singlefile", "-png", pdf, IMAGES / name)
    sys.stdout.write(f"{IMAGES / name}.png\n")


def printed_box(pdf: Path, target: Path, dots: int, margin: int = 12) -> tuple[int, int, int, int]:
    """Left, top, width and height, in dots, of what is printed on the first page."""
    _run("pdftoppm", "-r", dots, *_PAGE, "-gray", pdf, target)
    data = target.with_suffix(".pgm").read_bytes()
    _, width, height, _ = data[:40].split()[:4]
    dark = np.frombuffer(data[-int(width) * int(height) :], dtype=np.uint8).reshape(int(height), int(width)) < 250
    rows, columns = np.flatnonzero(dark.any(axis=1)), np.flatnonzero(dark.any(axis=0))
    left, top = max(int(columns[0]) - margin, 0), max(int(rows[0]) - margin, 0)
    return left, top, int(columns[-1]) + margin - left, int(rows[-1]) + margin - top


def _run(*command: str | int | Path) -> None:
    if shutil.which(str(command[0])) is None:
        raise SystemExit(f"{command[0]} is not installed")
    subprocess.run(list(map(str, command)), check=True, capture_output=True, timeout=180)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
