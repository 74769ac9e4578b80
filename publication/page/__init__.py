"""The pages for people: ``report/index.html`` of a release and one for each unit below, ``published/index.html`` over
all of them; the dictionary of tables, the page of runs.

Belongs here: what the pages say, their look, and reading them again. Does not belong here: figures (the marts), the
other files of a release, when an index is rebuilt (``publication.index``).
"""

from publication.page.catalogue import render_catalogue
from publication.page.dictionary import render_dictionary
from publication.page.province import check_province_page, write_province_page
from publication.page.readback import PageDamaged, PageRow, check_page, read_page
from publication.page.review_list import render_review
from publication.page.runs import HeldUnit, RunLine, render_runs
from publication.page.unit_pages import UnitPageDamaged, check_unit_pages, write_unit_pages
from publication.page.write import write_page

__all__ = [
    "HeldUnit",
    "PageDamaged",
    "PageRow",
    "RunLine",
    "UnitPageDamaged",
    "check_page",
    "check_province_page",
    "check_unit_pages",
    "read_page",
    "render_catalogue",
    "render_dictionary",
    "render_review",
    "render_runs",
    "write_page",
    "write_province_page",
    "write_unit_pages",
]
