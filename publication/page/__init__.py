"""The page for people: ``report/index.html`` of a release, and ``published/index.html`` over all releases.

Belongs here: what the pages say, their look, and reading them again. Does not belong here: figures (the marts), the
other files of a release, when an index is rebuilt (``publication.index``).
"""

from publication.page.catalogue import render_catalogue
from publication.page.readback import PageDamaged, PageRow, check_page, read_page
from publication.page.write import write_page

__all__ = ["PageDamaged", "PageRow", "check_page", "read_page", "render_catalogue", "write_page"]
