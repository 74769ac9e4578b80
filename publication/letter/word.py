"""``report.docx`` and ``phieu-trinh.docx`` as Word reads them, in the layout of Decree 30/2020/NĐ-CP.

Belongs here: styles, page, and the XML of paragraphs and tables. Does not belong here: what is said (``compose``).

Paragraphs and the table are put together as XML text and parsed once, which is a hundred times faster than the
library's own cell objects; the library keeps package, styles, header and sections. Nothing in the file comes from a
clock: the day the quarter closed stands in for every date, so equal figures are equal bytes.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape

import docx
from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.opc.constants import RELATIONSHIP_TYPE
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.section import Section
from docx.shared import Mm, Pt
from docx.styles.style import ParagraphStyle

from publication.letter.model import (
    COLUMN_WIDTHS,
    HEADER_BOTTOM,
    HEADER_TOP,
    MARGINS,
    MOTTO,
    MOTTO_WIDTH,
    RECEIVERS,
    STATE,
    TWO_COLUMNS,
    AnnexLine,
    Letter,
    Paragraph,
)
from publication.letter.submission import KIND, OPINION, SUBMITTED_BY, Submission
from publication.tables.annex import FOOTNOTES_VI

FONT = "Times New Roman"
_A4 = (210, 297)
_LONGEST_PROPERTY = 255
_TWIPS_A_MM = 1440 / 25.4
_ROLE_STYLES = {"part": "Heading 1", "section": "Heading 2", "body": "Body Text", "item": "Body Text", "fill": "Dots"}


def write_docx(path: Path, letter: Letter) -> None:
    """Write the letter. Equal letters give equal bytes."""
    document = _new_document(letter.subject, letter.issuer, letter.dated)
    body = document.element.body
    last = body.sectPr
    bookmarks = _Bookmarks()
    text = [_paragraph(paragraph, bookmarks) for paragraph in letter.body]
    closing = _paragraph(letter.closing, bookmarks, keep=True)
    for xml in (_heading(letter), *_title(letter), *text, closing, _signature(letter)):
        last.addprevious(_parsed(xml))
    document.add_section()
    for xml in (*_annex_title(letter), _annex_table(letter), *_footnotes(letter)):
        last.addprevious(_parsed(xml))
    _save(document, path, letter.dated, letter.mark)


def write_submission_docx(path: Path, submission: Submission) -> None:
    """Write the phiếu trình. Equal submissions give equal bytes."""
    document = _new_document(submission.subject, submission.issuer, submission.dated)
    last = document.element.body.sectPr
    for xml in _submission(submission):
        last.addprevious(_parsed(xml))
    _save(document, path, submission.dated, submission.mark)


def _new_document(title: str, author: str, dated: dt.date) -> Document:
    document = docx.Document()
    _set_properties(document, title, author, dated)
    _set_styles(document)
    _set_page(document.sections[0])
    return document


def _save(document: Document, path: Path, dated: dt.date, mark: str) -> None:
    for section in document.sections:
        _number_pages(section)
        _mark_pages(section, mark)
    buffer = io.BytesIO()
    document.save(buffer)
    path.write_bytes(_without_clock(buffer.getvalue(), dated))


def _without_clock(data: bytes, dated: dt.date) -> bytes:
    """The same package with one date for all its members."""
    stamped = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as package, zipfile.ZipFile(stamped, "w", zipfile.ZIP_DEFLATED) as target:
        for name in package.namelist():
            member = zipfile.ZipInfo(name, (dated.year, dated.month, dated.day, 0, 0, 0))
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            target.writestr(member, package.read(name))
    return stamped.getvalue()


# --- package, styles, page ------------------------------------------------------------------------------------------


def _set_properties(document: Document, title: str, author: str, dated: dt.date) -> None:
    properties = document.core_properties
    moment = dt.datetime.combine(dated, dt.time())
    # Longer ones no reader of the format takes.
    properties.title = title[:_LONGEST_PROPERTY]
    properties.author = properties.last_modified_by = author[:_LONGEST_PROPERTY]
    properties.comments = properties.keywords = properties.subject = ""
    properties.language = "vi-VN"
    properties.created = properties.modified = moment
    properties.revision = 1
    package = document.part.package
    for key, relation in list(package.rels.items()):
        if relation.reltype == RELATIONSHIP_TYPE.THUMBNAIL:  # A picture of the library's own empty document.
            del package.rels[key]


def _set_styles(document: Document) -> None:
    defaults = document.styles.element.find(qn("w:docDefaults")).find(qn("w:rPrDefault")).find(qn("w:rPr"))
    defaults.find(qn("w:lang")).set(qn("w:val"), "vi-VN")
    normal = document.styles["Normal"]
    _set_font(normal, 14)
    _set_spacing(normal)
    body = document.styles["Body Text"]
    _set_spacing(body, before=6, align=WD_ALIGN_PARAGRAPH.JUSTIFY, indent=10)
    _set_spacing(_style(document, "Dots", body), before=6, indent=0, align=WD_ALIGN_PARAGRAPH.LEFT)
    for name, before in (("Heading 1", 8), ("Heading 2", 8)):
        heading = document.styles[name]
        _set_font(heading, 14, bold=True)
        _set_spacing(heading, before=before, align=WD_ALIGN_PARAGRAPH.JUSTIFY, indent=10, keep=True)
    centred = _style(document, "Centred", normal)
    _set_spacing(centred, align=WD_ALIGN_PARAGRAPH.CENTER)
    cell = _style(document, "Cell", normal)
    _set_font(cell, 13)
    _set_spacing(cell, before=1, after=1)
    _set_spacing(_style(document, "Cell Centred", cell), before=1, after=1, align=WD_ALIGN_PARAGRAPH.CENTER)
    figure = _style(document, "Cell Figure", cell)
    _set_spacing(figure, before=1, after=1, align=WD_ALIGN_PARAGRAPH.RIGHT)
    figure.paragraph_format.right_indent = Mm(1.5)
    remark = _style(document, "Remark", normal)
    _set_font(remark, 12)
    _set_spacing(remark, before=2, after=2, align=WD_ALIGN_PARAGRAPH.JUSTIFY)
    point = _style(document, "Point", normal)
    _set_font(point, 12)
    _set_spacing(point, before=1, align=WD_ALIGN_PARAGRAPH.JUSTIFY)
    _set_font(_style(document, "Point Cell", normal), 12)
    _set_font(_style(document, "Receivers", normal), 11)
    _set_font(document.styles["Header"], 14)


def _style(document: Document, name: str, base: ParagraphStyle) -> ParagraphStyle:
    style: ParagraphStyle = document.styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    style.base_style = base
    return style


def _set_font(style: ParagraphStyle, size: float, *, bold: bool = False) -> None:
    """One font for all scripts, black and upright; the library's headings are blue and take the theme's font."""
    properties = style.element.get_or_add_rPr()
    for child in list(properties):
        properties.remove(child)
    style.font.size, style.font.bold = Pt(size), bold
    style.font.name = FONT
    for script in ("w:cs", "w:eastAsia"):
        properties.find(qn("w:rFonts")).set(qn(script), FONT)


def _set_spacing(
    style: ParagraphStyle,
    *,
    before: float = 0,
    after: float = 0,
    indent: float = 0,
    align: WD_ALIGN_PARAGRAPH = WD_ALIGN_PARAGRAPH.LEFT,
    keep: bool = False,
) -> None:
    """Points before and after, millimetres of first line; lines stand single, as in the PDF."""
    form = style.paragraph_format
    form.space_before, form.space_after = Pt(before), Pt(after)
    form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.MULTIPLE, 1.0
    form.first_line_indent = Mm(indent)
    form.alignment, form.keep_with_next, form.widow_control = align, keep, True


def _set_page(section: Section) -> None:
    section.page_width, section.page_height = (Mm(side) for side in _A4)
    section.top_margin, section.bottom_margin, section.left_margin, section.right_margin = map(Mm, MARGINS)
    section.header_distance = section.footer_distance = Mm(10)


def _number_pages(section: Section) -> None:
    """Numbers in the middle of the top margin, from 1 in letter and annex, not shown on the first page of each."""
    section.different_first_page_header_footer = True
    section.header.is_linked_to_previous = section.first_page_header.is_linked_to_previous = False
    paragraph = section.header.paragraphs[0]
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph._p.append(_parsed('<w:fldSimple w:instr=" PAGE "><w:r><w:t>2</w:t></w:r></w:fldSimple>'))
    for columns in section._sectPr.iter(qn("w:cols")):  # The schema has page numbers before columns.
        columns.addprevious(_parsed('<w:pgNumType w:start="1"/>'))


def _mark_pages(section: Section, mark: str) -> None:
    """What a document that is not published says at the head of every page."""
    for header in (section.first_page_header, section.header) if mark else ():
        line = header.paragraphs[0].insert_paragraph_before()
        line.alignment = WD_ALIGN_PARAGRAPH.LEFT
        run = line.add_run(mark)
        run.bold = True


# --- pieces of text -------------------------------------------------------------------------------------------------


class _Bookmarks:
    """A figure in the text is bookmarked with its code or name, so that it can be found and checked: ``III_23_1``,
    ``m_district_late_2``.
    """

    def __init__(self) -> None:
        self._used = 0

    def around(self, code: str, run: str) -> str:
        self._used += 1
        name = f"{code.replace('.', '_').replace('#', 'm_')}_{self._used}"
        return f'<w:bookmarkStart w:id="{self._used}" w:name="{name}"/>{run}<w:bookmarkEnd w:id="{self._used}"/>'


def _parsed(xml: str) -> BaseOxmlElement:
    """The element, its prefix declared."""
    return parse_xml(re.sub(r"^<[\w:]+", lambda name: f"{name[0]} {nsdecls('w')}", xml))


def _run(text: str, look: str = "") -> str:
    properties = f"<w:rPr>{look}</w:rPr>" if look else ""
    return f'<w:r>{properties}<w:t xml:space="preserve">{escape(text)}</w:t></w:r>'


def _p(style: str, content: str, *, more: str = "") -> str:
    return f'<w:p><w:pPr><w:pStyle w:val="{style}"/>{more}</w:pPr>{content}</w:p>'


_BOLD, _ITALIC = "<w:b/>", "<w:i/>"
_KEEP = "<w:keepNext/>"
_SPACE_ABOVE = '<w:spacing w:before="120" w:after="0"/>'


_CENTRED, _TO_THE_RIGHT = (f'<w:jc w:val="{side}"/>' for side in ("center", "right"))


def _size(points: float) -> str:
    return f'<w:sz w:val="{round(points * 2)}"/><w:szCs w:val="{round(points * 2)}"/>'


def _paragraph(paragraph: Paragraph, bookmarks: _Bookmarks, *, keep: bool = False) -> str:
    style = _ROLE_STYLES[paragraph.role].replace(" ", "")
    written = "".join(
        bookmarks.around(run.code, _run(run.text)) if run.code is not None else _run(run.text) for run in paragraph.runs
    )
    dash = _run("- ") if paragraph.role == "item" else ""
    return _p(style, dash + written, more=_KEEP if keep or paragraph.text.endswith(":") else "")


def _rule(width: float, within: float) -> str:
    """A thin line of ``width`` in the middle of ``within``, both in millimetres."""
    side = _twips((within - width) / 2)
    return _p(
        "Centred",
        "",
        more=(
            '<w:pBdr><w:top w:val="single" w:sz="6" w:space="1" w:color="auto"/></w:pBdr>'
            '<w:spacing w:before="20" w:after="0" w:line="120" w:lineRule="exact"/>'
            f'<w:ind w:left="{side}" w:right="{side}" w:firstLine="0"/>'
        ),
    )


def _twips(millimetres: float) -> int:
    return round(millimetres * _TWIPS_A_MM)


def _table(widths: Iterable[float], rows: str, *, borders: bool) -> str:
    line = "single" if borders else "none"
    edges = "".join(
        f'<w:{edge} w:val="{line}" w:sz="4" w:space="0" w:color="auto"/>'
        for edge in ("top", "left", "bottom", "right", "insideH", "insideV")
    )
    padding = _twips(1.0) if borders else 0
    columns = "".join(f'<w:gridCol w:w="{_twips(width)}"/>' for width in widths)
    return (
        f'<w:tbl><w:tblPr><w:tblW w:w="{_twips(sum(widths))}" w:type="dxa"/><w:tblInd w:w="0" w:type="dxa"/>'
        f'<w:tblBorders>{edges}</w:tblBorders><w:tblLayout w:type="fixed"/><w:tblCellMar>'
        f'<w:left w:w="{padding}" w:type="dxa"/><w:right w:w="{padding}" w:type="dxa"/></w:tblCellMar></w:tblPr>'
        f"<w:tblGrid>{columns}</w:tblGrid>{rows}</w:tbl>"
    )


def _cell(width: float, content: str, *, span: int = 1, merge: str = "") -> str:
    spans = f'<w:gridSpan w:val="{span}"/>' if span > 1 else ""
    return (
        f'<w:tc><w:tcPr><w:tcW w:w="{_twips(width)}" w:type="dxa"/>{spans}{merge}'
        f'<w:vAlign w:val="center"/></w:tcPr>{content}</w:tc>'
    )


def _row(cells: str, *, header: bool = False, breaks: bool = False) -> str:
    whole = "" if breaks else "<w:cantSplit/>"
    return f"<w:tr><w:trPr>{whole}{'<w:tblHeader/>' if header else ''}</w:trPr>{cells}</w:tr>"


# --- the letter's frame ---------------------------------------------------------------------------------------------


def _heading(letter: Letter | Submission) -> str:
    left, right = TWO_COLUMNS
    agency = "".join(_p("Centred", _run(line, _BOLD + _size(13))) for line in letter.agency) + _rule(left / 3, left)
    state = (
        _p("Centred", _run(STATE, _BOLD + _size(13)))
        + _p("Centred", _run(MOTTO, _BOLD + _size(14)))
        + _rule(MOTTO_WIDTH, right)
    )
    number = _p("Centred", _run(letter.number, _size(13)) if isinstance(letter, Letter) else "")
    place = _p("Centred", _run(letter.place_and_date, _ITALIC + _size(14)))
    rows = (_top_cell(left, agency) + _top_cell(right, state), _top_cell(left, number) + _top_cell(right, place))
    return _table(TWO_COLUMNS, "".join(map(_row, rows)), borders=False)


def _top_cell(width: float, content: str) -> str:
    return _cell(width, content).replace('<w:vAlign w:val="center"/>', "")


def _title(letter: Letter) -> Iterable[str]:
    yield _p("Centred", _run(letter.kind, _BOLD), more='<w:spacing w:before="240" w:after="0"/>')
    yield _p("Centred", _run(letter.subject, _BOLD))
    yield _rule(sum(TWO_COLUMNS) / 3, sum(TWO_COLUMNS))
    yield _p("Centred", "")


def _signature(letter: Letter) -> str:
    left, right = TWO_COLUMNS
    lines = _p("Receivers", _run(RECEIVERS, _BOLD + _ITALIC + _size(12)), more=_SPACE_ABOVE)
    lines += "".join(_p("Receivers", _run(line)) for line in letter.receivers)
    signed = _p("Centred", _run(letter.authority, _BOLD), more=_SPACE_ABOVE)
    signed += "".join(_p("Centred", _run(line, _BOLD)) for line in letter.post)
    signed += _p("Centred", "") * 4  # Room to sign and seal.
    signed += _p("Centred", _run(letter.signer, _BOLD)) if letter.signer else ""
    return _table(TWO_COLUMNS, _row(_top_cell(left, lines) + _top_cell(right, signed)), borders=False)


def _submission(submission: Submission) -> Iterable[str]:
    """The phiếu trình: heading, table of the figures that the form puts first, points, room for the signer's word."""
    yield _heading(submission)
    yield _p("Centred", _run(KIND, _BOLD), more=_SPACE_ABOVE)
    yield _p("Centred", _run(submission.subject, _BOLD))
    yield _rule(sum(TWO_COLUMNS) / 3, sum(TWO_COLUMNS))
    yield _p("Centred", _run(submission.addressee), more=_SPACE_ABOVE)
    yield _p("Point", _run(submission.opening), more=_KEEP + _SPACE_ABOVE)
    head = "".join(
        _cell(w, _p("PointCell", _run(t, _BOLD), more=_CENTRED))
        for w, t in zip(submission.columns, submission.headers, strict=True)
    )
    rows = [_row(head, header=True)]
    for row in submission.rows:
        looks = ("", *[_TO_THE_RIGHT] * len(row.figures))
        cells = zip(submission.columns, row.cells, looks, strict=True)
        rows.append(_row("".join(_cell(w, _p("PointCell", _run(t), more=look)) for w, t, look in cells)))
    yield _table(submission.columns, "".join(rows), borders=True)
    for block in submission.blocks:
        yield _p("Point", _run(block.heading, _BOLD), more=_KEEP + _SPACE_ABOVE)
        yield from (_p("Point", _run(f"- {line}")) for line in block.lines)
    yield _p("Point", _run(submission.closing), more=_KEEP + _SPACE_ABOVE)
    left, right = TWO_COLUMNS
    by = _p("Centred", _run(SUBMITTED_BY, _BOLD), more=_SPACE_ABOVE)
    opinion = _p("Centred", _run(OPINION, _BOLD), more=_SPACE_ABOVE)
    opinion += "".join(_p("Point", _run(line), more=_CENTRED) for line in submission.dots)
    yield _table(TWO_COLUMNS, _row(_top_cell(left, by) + _top_cell(right, opinion)), borders=False)


# --- annex ----------------------------------------------------------------------------------------------------------


def _annex_title(letter: Letter) -> Iterable[str]:
    *titles, attached = letter.annex_title
    for line in titles:
        yield _p("Centred", _run(line, _BOLD))
    yield _p("Centred", _run(attached, _ITALIC))
    yield _rule(sum(COLUMN_WIDTHS) / 3, sum(COLUMN_WIDTHS))
    yield _p("Centred", "")


def _annex_table(letter: Letter) -> str:
    rows = [_header_row(HEADER_TOP, first=True), _header_row(HEADER_BOTTOM, first=False)]
    rows += [_annex_row(line) for line in letter.annex]
    return _table(COLUMN_WIDTHS, "".join(rows), borders=True)


def _header_row(texts: Iterable[str | None], *, first: bool) -> str:
    merge = '<w:vMerge w:val="restart"/>' if first else "<w:vMerge/>"
    cells = []
    for position, text in enumerate(texts):
        width = COLUMN_WIDTHS[position]
        content = _p("CellCentred", _run(text, _BOLD) if text else "", more=_KEEP)
        if position in (0, 1, 4):
            cells.append(_cell(width, content, merge=merge))
        elif not first:
            cells.append(_cell(width, content))
        elif text:
            cells.append(_cell(width + COLUMN_WIDTHS[position + 1], content, span=2))
    return _row("".join(cells), header=True)


def _annex_row(line: AnnexLine) -> str:
    bold = _BOLD if line.is_section or line.is_heading else ""
    keep = _KEEP if bold and not line.may_break else ""

    def cell(position: int, text: str, style: str, look: str = bold, span: int = 1) -> str:
        width = sum(COLUMN_WIDTHS[position : position + span])
        return _cell(width, _p(style, _run(text, look) if text else "", more=keep), span=span)

    start = cell(0, line.number, "CellCentred")
    note = cell(4, line.note, "Cell", "")
    if line.is_section:
        return _row(start + cell(1, line.name, "Cell", span=3) + note, breaks=line.may_break)
    return _row(
        start
        + cell(1, line.name, "Cell")
        + cell(2, line.unit, "CellCentred", "")
        + cell(3, line.figure, "CellFigure")
        + note,
        breaks=line.may_break,
    )


def _footnotes(letter: Letter) -> Iterable[str]:
    if letter.footnotes:
        yield _p("Remark", _run(FOOTNOTES_VI, _BOLD), more=_KEEP + '<w:spacing w:before="160" w:after="40"/>')
        yield from (_p("Remark", _run(line)) for line in letter.footnotes)
