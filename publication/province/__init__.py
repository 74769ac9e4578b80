"""A province's release: what its units have published, put side by side, added up and ranked.

Belongs here: which releases are put together (``members``), the figures (``rollup``), the candidate they become
(``candidate``), what stands behind one figure (``explain``). Does not belong here: the steps of publication
(``publication.release``, the same for every release), workbook and page (``tables.province_workbook``,
``page.province``), what must hold (``expectations``, stage ``province``), which units a province has
(``common.units``).

Begin at ``rollup``: it is arithmetic on tables and knows neither files nor releases.
"""

from publication.province.candidate import changed_since, roll_up
from publication.province.explain import ProvinceExplanation, explain_province, is_of_province
from publication.province.members import Unit
from publication.province.rollup import Department, DepartmentFigure, PortalFigure

__all__ = [
    "Department",
    "DepartmentFigure",
    "PortalFigure",
    "ProvinceExplanation",
    "Unit",
    "changed_since",
    "explain_province",
    "is_of_province",
    "roll_up",
]
