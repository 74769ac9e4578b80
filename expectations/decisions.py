"""Findings against the decisions register: which finding a decision covers, and which decision covers none.

Belongs here: what a decision names (rule, rows, figures), matching it to findings.
Does not belong here: reading deliveries, applying a decision to a figure (dbt does), what blocks.

A decision settles what it names and nothing else: a rule, the rows or cases it was broken in, and the figures that were
seen when it was made. Where a figure has changed since, the finding is open again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation

from expectations.contract_facts import column_facts
from expectations.declarations import Rule

# Effects under which a decision is in force; the others (invalid, expired) cover nothing.
IN_FORCE = frozenset({"applied", "covers_findings", "no_effect"})
# Two figures of one row that differ: settled by saying which is published, never by accepting that they differ.
CHOICE = "report.settled"
_CHOOSES = frozenset({"accept_declared", "accept_computed", "withhold"})

# Names of figures in the register of decisions; a form row bears its own code, a column its heading.
FIGURES_VI = {
    "approved_on": "ngày duyệt",
    "carried_over": "kỳ trước chuyển sang",
    "case_code": "mã hồ sơ",
    "column_vi": "cột",
    "commune_cases_carried_over": "hồ sơ cấp xã kỳ trước chuyển sang",
    "commune_cases_open": "hồ sơ cấp xã chưa kết thúc",
    "commune_cases_set_aside": "hồ sơ cấp xã rút hoặc bị từ chối",
    "communes_expected": "số đơn vị cấp xã",
    "computed_value": "số tính toán",
    "correct_quarter": "kỳ cần đính chính",
    "count": "số dòng hoặc ô",
    "day": "ngày kết thúc",
    "declared_value": "số khai báo",
    "denominator": "mẫu số",
    "district_cases_carried_over": "hồ sơ cấp huyện kỳ trước chuyển sang",
    "district_cases_open": "hồ sơ cấp huyện chưa kết thúc",
    "district_cases_set_aside": "hồ sơ cấp huyện rút hoặc bị từ chối",
    "expected": "số đối chiếu",
    "forms": "số phiếu",
    "found": "số tìm thấy",
    "indicator_code": "mã chỉ tiêu",
    "label_vi": "nội dung",
    "last_day": "sau ngày",
    "message_vi": "điều ghi nhận",
    "next_day": "trước ngày",
    "numerator": "tử số",
    "open_before": "còn lại cuối kỳ trước",
    "other_case_code": "mã hồ sơ kia",
    "previous_quarter_value": "số kỳ trước",
    "procedures_shared": "thủ tục áp dụng ở cả hai cấp",
    "quarters_sum": "cộng các quý",
    "published_sum": "các quý đã công bố",
    "moved_net": "chênh lệch theo hồ sơ",
    "rate": "tỷ lệ",
    "received_on": "ngày tiếp nhận",
    "rows": "số dòng",
    "rows_before": "số dòng kỳ trước",
    "rows_delivered": "số dòng đã gửi",
    "rows_out": "số dòng ngoài kỳ",
    "rows_read": "số dòng đã đọc",
    "rows_rejected": "số dòng bị loại",
    "share": "tỷ lệ kỳ này",
    "share_before": "tỷ lệ kỳ trước",
    "source": "nguồn",
    "stated_from": "từ ngày",
    "stated_to": "đến ngày",
    "subject": "đối tượng",
    "told": "ngày hoặc tháng",
    "value": "số kỳ này",
}


def figure_vi(rule: Rule, name: str) -> str:
    """The name under which a figure that a rule shows stands in findings and in the register of decisions."""
    heading = column_facts().get(f"{rule.source}.{name}", {}).get("title", name)
    return _in_words(name if name in FIGURES_VI else str(heading))


def _in_words(name: str) -> str:
    """``hồ sơ cấp xã chưa kết thúc`` for a measure, ``III.12 kỳ trước`` for ``previous(III.12)``."""
    if found := _PREVIOUS.fullmatch(name):
        return f"{_in_words(found[1])} kỳ trước"
    return FIGURES_VI.get(name, name)


_PREVIOUS = re.compile(r"previous\((.+)\)")
#: Signs that part a list from its next entry; an entry that holds one stands in double quotes, doubled within.
_PARTS = re.compile(r"[;\n\"]")
_ENTRY = re.compile(r'(?:[^;\n"]|"(?:[^"]|"")*"|")+')
_QUOTED = re.compile(r'\s*"((?:[^"]|"")*)"\s*')
_PAIR = re.compile(r'(?:(?P<subject>"(?:[^"]|"")*"|[^=]+?):\s+)?(?P<name>[^:=]+)=(?P<value>.*)', re.DOTALL)
#: A number as findings print it; a code such as 001 is none.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:,[0-9]+)?")
BLANK_VI = "trống"


def list_vi(entries: Iterable[str]) -> str:
    """Entries as a clerk copies them into a cell of the register that lists several things."""
    return "; ".join(map(_entry, entries))


def figures_vi(figures: Mapping[str, str]) -> str:
    """Figures as a clerk copies them into the register: ``số tính toán = 1; số khai báo = 31``."""
    return "; ".join(f"{name} = {_entry(value)}" for name, value in figures.items())


def figures_of_vi(subject: str, figures: Mapping[str, str]) -> str:
    """The same of one of several subjects: ``H51-1: số dòng = 3``."""
    named = _entry(subject) if "=" not in subject and ": " not in subject else _quoted(subject)
    return "; ".join(f"{named}: {name} = {_entry(value)}" for name, value in figures.items())


def parse_list(text: str | None) -> tuple[str, ...]:
    """The parts of a cell that lists several things, by semicolon or line; a part in double quotes may hold both."""
    return tuple(part for part in (_plain(part) for part in _ENTRY.findall(text or "")) if part)


def parse_figures(text: str | None) -> dict[tuple[str | None, str], str]:
    """``name = value`` pairs of a cell by (row or case, name); a pair without a row speaks of every row named."""
    pairs: dict[tuple[str | None, str], str] = {}
    for part in _ENTRY.findall(text or ""):
        if found := _PAIR.fullmatch(part.strip()):
            subject = found["subject"]
            pairs[_plain(subject) if subject else None, _key(found["name"])] = _plain(found["value"])
    return pairs


def _entry(text: str) -> str:
    return _quoted(text) if _PARTS.search(text) else _one_line(text)


def _quoted(text: str) -> str:
    return '"' + _one_line(text).replace('"', '""') + '"'


def _plain(text: str) -> str:
    if found := _QUOTED.fullmatch(text):
        return _one_line(found[1].replace('""', '"'))
    return _one_line(text)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _key(name: str) -> str:
    """By which a figure is found again; registers that were written before a measure had a name bear its id, and
    ``previous(III.12)``.
    """
    return _in_words(_one_line(name).strip("{} ").casefold()).casefold()


def _same(seen: str, now: str) -> bool:
    """Whether two printed figures are one figure: ``47,50`` and ``47,5``. Texts and codes are one only where they are
    written alike.
    """
    now = _one_line(now)
    if seen == now or (now == BLANK_VI and seen.casefold() == BLANK_VI):
        return True
    if not _NUMBER.fullmatch(now):
        return False
    try:
        return Decimal(seen.replace(",", ".")) == Decimal(now.replace(",", "."))
    except InvalidOperation:
        return False


@dataclass(frozen=True)
class Decision:
    """A decision for one reporting unit and quarter.

    ``effect`` is that of the mart ``decision_effects`` (applied, covers_findings, no_effect, invalid), or ``expired``
    for one that was delivered for a quarter it no longer holds in. ``applies_to`` names the rows or cases of a decision
    about a rule, and the rules of a decision about a row; ``figures`` what was seen, as :func:`parse_figures` reads it.
    One that ``is_new`` holds from this quarter on, so it must settle something now.
    """

    unit: str
    decision_id: str
    subject_kind: str
    subject: str
    action: str
    effect: str
    problem_vi: str | None = None
    is_new: bool = True
    applies_to: tuple[str, ...] = ()
    figures: Mapping[tuple[str | None, str], str] = field(default_factory=dict)

    def covers(self, rule: Rule, subject: str, figures: Mapping[str, str]) -> bool:
        """Whether a finding of this rule, by the name a decision gives it (:attr:`expectations.suites.Compiled.named`),
        with these figures by printed name, is settled by it.
        """
        subject = _one_line(subject)
        return self.effect in IN_FORCE and self._names(rule, subject) and self._saw(rule, subject, figures)

    def is_about(self, rule: Rule, subject: str) -> bool:
        """Whether it is in force and speaks of the rule, of this subject where its own is a row, with whichever figures
        and of whichever rows otherwise: what settled a finding before, where the finding has changed.
        """
        if self.effect not in IN_FORCE:
            return False
        if self.subject_kind == "rule":
            return self.action == "accept_finding" and self.subject == rule.id
        return self._names(rule, _one_line(subject))

    def _names(self, rule: Rule, subject: str) -> bool:
        if rule.id == CHOICE:
            chosen = self.subject_kind == "row" and self.action in _CHOOSES and self.effect == "applied"
            return chosen and self.subject == subject
        if self.subject_kind == "rule":
            named = subject in self.applies_to or (not self.applies_to and names_its_row(rule))
            return self.action == "accept_finding" and self.subject == rule.id and named
        return self.subject_kind == "row" and self.subject == subject and rule.id in self.applies_to

    def _saw(self, rule: Rule, subject: str, figures: Mapping[str, str]) -> bool:
        if rule.id == CHOICE and not self.figures:
            return True  # it names the figure to be published, and dbt has laid that against the one it leads to
        for name, now in figures.items():
            key = _key(name)
            seen = self.figures.get((subject, key), self.figures.get((None, key)))
            if seen is None or not _same(seen, now):
                return False
        return True

    def judged(self, rules: Mapping[str, Rule]) -> Decision:
        """The decision, invalid where it names no more than a rule, or what no decision settles."""
        if self.effect not in IN_FORCE or self.action != "accept_finding":
            return self
        problem = self._problem_vi(rules)
        return replace(self, effect="invalid", problem_vi=problem) if problem else self

    def _problem_vi(self, rules: Mapping[str, Rule]) -> str | None:
        if self.subject_kind == "row" and not self.applies_to:
            return "chưa ghi ở cột “Áp dụng cho” quyết định chấp nhận quy tắc nào của chỉ tiêu"
        for rule_id in (self.subject,) if self.subject_kind == "rule" else self.applies_to:
            rule = rules.get(rule_id)
            if rule_id == CHOICE:
                return (
                    "số tính toán khác số khai báo thì phải chọn số cho từng chỉ tiêu (chấp nhận số khai báo, chấp "
                    "nhận số tính toán hoặc không công bố), không chấp nhận chung cả quy tắc"
                )
            if rule is not None and not rule.settleable:
                return f"vi phạm quy tắc {rule_id} phải được sửa, không giải trình bằng quyết định được"
            if self.subject_kind == "rule" and rule is not None and not self.applies_to and not names_its_row(rule):
                return "chưa ghi ở cột “Áp dụng cho” quyết định chấp nhận những dòng, hồ sơ, đơn vị nào"
        return None


def names_its_row(rule: Rule) -> bool:
    """Whether every finding of the rule is about the one row that the rule itself is about."""
    return rule.indicator is not None and rule.subject is None


_DECISION_VI = "Quyết định, nếu có, ghi"


def how_to_settle_vi(rule: Rule, subject: str, figures: Mapping[str, str]) -> str:
    """What a decision about a finding must say, in the words of the register's columns."""
    seen = f", số liệu đã xem “{figures_vi(figures)}”" if figures else ""
    subject = list_vi([subject])
    if rule.id == CHOICE:
        return (
            f"{_DECISION_VI}: loại đối tượng “Chỉ tiêu”, đối tượng “{subject}”, cách xử lý “Chấp nhận số khai báo” "
            f"hoặc “Chấp nhận số tính toán”{seen}"
        )
    where = "" if names_its_row(rule) else f", áp dụng cho “{subject}”"
    return (
        f"{_DECISION_VI}: loại đối tượng “Quy tắc”, đối tượng “{rule.id}”{where}, cách xử lý “Chấp nhận có giải "
        f"trình”{seen}"
    )


def no_longer_settled_vi(decision_ids: Iterable[str]) -> str:
    """That decisions about a rule settle none of its findings as they are now."""
    return (
        f"Quyết định {', '.join(decision_ids)} nêu quy tắc hoặc chỉ tiêu này nhưng không ứng với đối tượng, số liệu "
        "hiện có nên không được tính; phải quyết định lại"
    )


def to_be_chosen_first_vi(rows: str) -> str:
    """What comes before a decision about a finding that rests on figures between which nobody has chosen."""
    return f"Trước hết chọn số cho {rows}; quy tắc này được xét lại với số đã chọn, lúc đó còn vi phạm mới giải trình"


@dataclass
class Register:
    """The decisions of all units, and how many findings each has covered so far."""

    decisions: tuple[Decision, ...] = ()
    covered: dict[tuple[str, str], int] = field(default_factory=dict)
    _by_unit: dict[str, list[Decision]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for decision in self.decisions:
            self._by_unit.setdefault(decision.unit, []).append(decision)

    def of(self, unit: str) -> list[Decision]:
        """The decisions that name a unit, in the order of the register."""
        return self._by_unit.get(unit, [])

    def names(self, rule: Rule) -> bool:
        """Whether any decision in force names the rule at all."""
        return any(
            d.effect in IN_FORCE and (rule.id == CHOICE or d.subject == rule.id or rule.id in d.applies_to)
            for d in self.decisions
        )

    def covering(self, unit: str, rule: Rule, subject: str, figures: Mapping[str, str]) -> list[str]:
        """Ids of the decisions that settle a finding, in order."""
        return sorted(d.decision_id for d in self.of(unit) if d.covers(rule, subject, figures))

    def about(self, unit: str, rule: Rule, subject: str) -> list[str]:
        """Ids of the decisions that speak of a rule, whether or not they settle this finding of it, in order."""
        return sorted(d.decision_id for d in self.of(unit) if d.is_about(rule, subject))

    def note_covered(self, unit: str, decision_ids: Iterable[str], findings: int) -> None:
        for decision_id in decision_ids:
            self.covered[unit, decision_id] = self.covered.get((unit, decision_id), 0) + findings

    def use(self) -> list[tuple[str, str, str, str, str, str, str | None, bool, int]]:
        """Rows of ``decision_use``: unit, decision_id, subject_kind, subject, action, effect, problem_vi, is_new,
        findings.
        """
        return [
            (
                d.unit,
                d.decision_id,
                d.subject_kind,
                d.subject,
                d.action,
                d.effect,
                d.problem_vi,
                d.is_new,
                self.covered.get((d.unit, d.decision_id), 0),
            )
            for d in self.decisions
        ]
