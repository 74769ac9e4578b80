"""The two districts of the sample: real units, with invented departments' codes and case-code prefixes.

Belongs here: names and codes of the districts, their communes, departments and public service units.
Does not belong here: figures (``quarters``) or rows (the modules that make one source each).
"""

from __future__ import annotations

from dataclasses import dataclass

DEPARTMENTS = (
    ("Văn phòng HĐND và UBND huyện", "VP HĐND&UBND; Văn phòng HĐND và UBND"),
    ("Phòng Nội vụ", "P. Nội vụ"),
    ("Phòng Tư pháp", "P. Tư pháp"),
    ("Phòng Tài chính - Kế hoạch", "P. TC-KH; Phòng Tài chính và Kế hoạch"),
    ("Phòng Tài nguyên và Môi trường", "P. TN&MT"),
    ("Phòng Lao động - Thương binh và Xã hội", "P. LĐ-TB&XH"),
    ("Phòng Văn hóa và Thông tin", "P. VH&TT"),
    ("Phòng Giáo dục và Đào tạo", "P. GD&ĐT"),
    ("Phòng Kinh tế và Hạ tầng", "P. KT&HT"),
    ("Phòng Nông nghiệp và Phát triển nông thôn", "P. NN&PTNT"),
    ("Thanh tra huyện", "Thanh tra"),
)


@dataclass(frozen=True)
class Commune:
    """A commune: its administrative unit code and its full name (``Xã An Thạnh 1``)."""

    code: str
    name: str

    @property
    def bare_name(self) -> str:
        return self.name.removeprefix("Thị trấn ").removeprefix("Xã ").removeprefix("Phường ")

    @property
    def committee(self) -> str:
        kind, _, rest = self.name.partition(self.bare_name)
        return f"UBND {kind.lower()}{self.bare_name}{rest}"


@dataclass(frozen=True)
class District:
    """A district with what the sample needs to know of it.

    ``case_code`` is the invented second-level code inside case codes; ``schools`` and ``centres`` are its
    31 public service units, ``project_board`` the one of them that earns part of its money.
    """

    code: str
    name: str
    seat: str
    case_code: str
    communes: tuple[Commune, ...]
    extra_schools: tuple[str, ...]
    centres: tuple[str, ...]
    #: Whether each commune has three schools that bear its name; else all schools are in ``extra_schools``.
    commune_schools: bool = True

    @property
    def committee(self) -> str:
        return f"UBND {self.name[0].lower()}{self.name[1:]}"

    @property
    def bare_name(self) -> str:
        return self.name.removeprefix("Huyện ")

    def department_code(self, position: int) -> str:
        """Code of the department at ``position`` (0-based) of ``DEPARTMENTS``."""
        return f"{self.code}-PB{position + 1:02d}"

    def department(self, name: str) -> str:
        """Code of the department called ``name``; raises ``ValueError`` where there is none."""
        return self.department_code([department for department, _ in DEPARTMENTS].index(name))

    def unit_name(self, code: str, style: str) -> str:
        """How one of its units is written: ``UBND xã An Thạnh 1``, ``Xã An Thạnh 1``, ``TT. Cù Lao Dung``."""
        if code == self.code:
            return self.committee
        for commune in self.communes:
            if commune.code == code:
                if style == "committee":
                    return commune.committee
                return commune.name.replace("Thị trấn ", "TT. ") if style == "abbreviated" else commune.name
        departments = {self.department_code(n): name for n, (name, _) in enumerate(DEPARTMENTS)}
        return {**departments, **dict(self.service_units())}[code]

    def service_units(self) -> list[tuple[str, str]]:
        """(code, name) of the public service units; the centres come last."""
        names = [
            f"{kind} {commune.bare_name}"
            for commune in (self.communes if self.commune_schools else ())
            for kind in ("Trường Mẫu giáo", "Trường Tiểu học", "Trường Trung học cơ sở")
        ]
        names += [*self.extra_schools, *self.centres]
        return [(f"{self.code}-SN{number:02d}", name) for number, name in enumerate(names, 1)]

    @property
    def project_board(self) -> str:
        """Code of the project management board: the last of the centres."""
        return self.service_units()[-1][0]


CU_LAO_DUNG = District(
    code="945",
    name="Huyện Cù Lao Dung",
    seat="Cù Lao Dung",
    case_code="32",
    communes=(
        Commune("31615", "Thị trấn Cù Lao Dung"),
        Commune("31618", "Xã An Thạnh 1"),
        Commune("31621", "Xã An Thạnh Tây"),
        Commune("31624", "Xã An Thạnh Đông"),
        Commune("31627", "Xã Đại Ân 1"),
        Commune("31630", "Xã An Thạnh 2"),
        Commune("31633", "Xã An Thạnh 3"),
        Commune("31636", "Xã An Thạnh Nam"),
    ),
    extra_schools=("Trường Tiểu học An Thạnh 3B", "Trường Tiểu học Đại Ân 1B", "Trường Mầm non Hoa Hồng"),
    centres=(
        "Trung tâm Văn hóa - Thể thao và Truyền thanh huyện Cù Lao Dung",
        "Trung tâm Giáo dục nghề nghiệp - Giáo dục thường xuyên huyện Cù Lao Dung",
        "Trung tâm Dịch vụ nông nghiệp huyện Cù Lao Dung",
        "Ban Quản lý dự án đầu tư xây dựng huyện Cù Lao Dung",
    ),
)

CHAU_THANH = District(
    code="942",
    name="Huyện Châu Thành",
    seat="Châu Thành",
    case_code="35",
    communes=(
        Commune("31569", "Thị trấn Châu Thành"),
        Commune("31570", "Xã Hồ Đắc Kiện"),
        Commune("31573", "Xã Phú Tâm"),
        Commune("31576", "Xã Thuận Hòa"),
        Commune("31582", "Xã Phú Tân"),
        Commune("31585", "Xã Thiện Mỹ"),
        Commune("31594", "Xã An Hiệp"),
        Commune("31600", "Xã An Ninh"),
    ),
    extra_schools=("Trường Tiểu học Phú Tâm B", "Trường Tiểu học An Hiệp B", "Trường Mầm non Sơn Ca"),
    centres=(
        "Trung tâm Văn hóa - Thể thao và Truyền thanh huyện Châu Thành",
        "Trung tâm Giáo dục nghề nghiệp - Giáo dục thường xuyên huyện Châu Thành",
        "Trung tâm Dịch vụ nông nghiệp huyện Châu Thành",
        "Ban Quản lý dự án đầu tư xây dựng huyện Châu Thành",
    ),
)

DISTRICTS = {district.code: district for district in (CU_LAO_DUNG, CHAU_THANH)}
