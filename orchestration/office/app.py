"""The page of the offices: who delivered, what is missing, what came back; trying a file and delivering it.

Belongs here: addresses, who may see what, and what keeps others' pages and hosts out. Does not belong here: the facts
(``facts``), files on their way (``delivering``), how the page looks (``templates``).

Every GET only reads. A POST carries a token that only a page of this server knows, so no foreign page delivers in
somebody's name; an address by which no browser of this machine or of the proxy asks is refused, so that no foreign name
can be made to mean this server. Nothing on the pages runs: they hold no scripts, and the browser is told to run none.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive

from common.files import is_regular_file, regular_files
from common.periods import find_period, in_order, is_scheduled, load_periods
from ingestion import (
    Contract,
    DamagedError,
    check_file,
    faults_of,
    load_contracts,
    outbox_folder,
    write_template,
)
from orchestration.office import facts, papers
from orchestration.office.delivering import NotDeliverable, Room, Staged, clean_name, deliver
from orchestration.office.facts import Box, boxes, periods_asked_for
from orchestration.pipeline import Pipeline
from orchestration.reports import report_standing
from orchestration.settings import Settings
from orchestration.timing import now
from orchestration.units import UnknownUnit

LOGIN_HEADER = "x-cchc-login"
ALL_UNITS = "*"
_COOKIE = "cchc_office"
_FIELD_BYTES = 64 << 10
_SWEEP_SECONDS = 60.0
# Kinds of files that the page offers: what came back, and what is to be looked through before publication.
_BACK, _REVIEW = "tra", "xet"
_REVIEW_VI = {
    "quyet-dinh-can-lay.xlsx": "Sổ quyết định cần lấy (Excel)",
    "ra-soat.html": "Các điểm cần xem của bản dự thảo",
    "report.docx": "Dự thảo báo cáo (Word)",
    "report.pdf": "Dự thảo báo cáo (PDF)",
    "annex.xlsx": "Dự thảo phụ lục (Excel)",
    "index.html": "Dự thảo trang số liệu",
}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_SAID = {
    "new": ("good", "Đã nộp “{name}”. Hệ thống đọc tệp ở lượt chạy tới; kết quả hiện ở trang của đơn vị."),
    "replaced": ("good", "Đã nộp “{name}” thay cho tệp cùng tên nộp trước. Hệ thống đọc tệp ở lượt chạy tới."),
    "same": ("wait", "“{name}” đã được nộp trước đó với đúng nội dung này; không có gì thay đổi."),
}
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Visitor:
    """Who asks. ``units`` are the codes whose files may be seen and delivered, None all of them."""

    login: str | None
    units: frozenset[str] | None

    def owns(self, unit_code: str) -> bool:
        return self.units is None or unit_code in self.units

    def may_know(self, box: Box) -> bool:
        """A unit's standing is also told to the unit that it reports by."""
        return self.owns(box.unit_code) or self.owns(box.reporting_unit)


@dataclass(frozen=True)
class Offered:
    """A file to be had: its name for people, and where."""

    label: str
    link: str


class Office:
    """The page over one home."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.pipeline = Pipeline(settings)
        self.room = Room()
        self._secret = secrets.token_bytes(32)

    # ------------------------------------------------------------------------------------------------------- who asks

    def visitor(self, request: Request) -> Visitor:
        """Raises ``HTTPException`` where the proxy names somebody whom the settings do not, or nobody."""
        login = request.headers.get(LOGIN_HEADER) or None
        logins = self.settings.office_logins
        if not logins and login is None and not self.settings.proxy_login:
            return Visitor(None, None)
        units = logins.get(login or "")
        if units is None:
            raise HTTPException(403, "Tài khoản này chưa được gán đơn vị. Báo người quản trị ghi vào office_logins.")
        return Visitor(login, None if ALL_UNITS in units else frozenset(units))

    def own(self, request: Request, quarter: str, unit: str) -> Visitor:
        """The visitor, who may see and deliver what is the unit's; raises ``HTTPException`` else."""
        visitor = self.visitor(request)
        if find_period(quarter) is None:
            raise HTTPException(404, f"Không có kỳ báo cáo “{quarter}”.")
        try:
            self.pipeline.units.role_of(unit, quarter)
        except UnknownUnit as error:
            raise HTTPException(404, f"{error}."[:1].upper() + f"{error}."[1:]) from error
        if not visitor.owns(unit):
            raise HTTPException(403, f"Tài khoản này không được xem và nộp tệp của đơn vị {unit}.")
        return visitor

    def token(self, request: Request) -> str:
        cookie = request.cookies.get(_COOKIE) or request.state.new_cookie
        return hmac.new(self._secret, cookie.encode(), hashlib.sha256).hexdigest()

    def check_token(self, request: Request, said: str) -> None:
        fits = _COOKIE in request.cookies and hmac.compare_digest(self.token(request).encode(), said.encode())
        if not fits:
            raise HTTPException(
                403, "Trang đã mở quá lâu, hoặc trình duyệt không nhận cookie. Mở lại trang rồi nộp lại; chưa nộp gì."
            )

    # ---------------------------------------------------------------------------------------------------------- pages

    def show(self, request: Request, template: str, status: int = 200, **values: Any) -> Response:
        prefix = request.scope.get("root_path", "").rstrip("/")
        page = papers.templates().get_template(template)
        common = {"prefix": prefix, "mark": papers.style_mark(), "csrf": self.token(request)}
        return Response(page.render(**common, **values), status, media_type="text/html")

    def quarters(self) -> list[str]:
        """Periods to choose from, latest first: with deliveries, asked for, and the one that is open."""
        today = now().date()
        asked_for = {period.quarter for period in periods_asked_for(today, self.settings.remind_days)}
        running = {p.quarter for p in load_periods() if p.opens_on <= today <= p.closes_on and is_scheduled(p)}
        return in_order({*self.pipeline.deliveries.quarters(), *asked_for, *running})[::-1]

    def quarter(self, asked: str | None) -> str:
        """The period shown: the one asked for; else one that closes soon, else the last with deliveries."""
        if asked and find_period(asked):
            return asked
        today = now().date()
        soon = [p.quarter for p in periods_asked_for(today, self.settings.remind_days) if p.closes_on >= today]
        delivered = self.pipeline.deliveries.quarters()
        # Of periods that close together the quarter comes first: most of what is delivered is for it.
        return soon[0] if soon else (delivered or self.quarters() or [load_periods()[-1].quarter])[-1]

    async def overview(self, request: Request) -> Response:
        visitor = self.visitor(request)
        quarter = self.quarter(request.query_params.get("ky"))
        if code := request.query_params.get("don-vi", "").strip():
            return self._go(request, f"/don-vi/{quarter}/{quote(code, safe='')}")
        found = await run_in_threadpool(lambda: list(boxes(self.pipeline, quarter)))
        shown = [box for box in found if visitor.may_know(box)]
        known = {box.unit_code for box in shown}
        # A unit of which nothing was ever seen is still one that its login may deliver for.
        others = [code for code in sorted(visitor.units or ()) if code not in known and self._exists(code, quarter)]
        names = {code: self.pipeline.units.name_of(code, quarter) for code in others}
        return self.show(
            request,
            "overview.html.j2",
            boxes=shown,
            others=names,
            visitor=visitor,
            quarter=quarter,
            quarters=self.quarters(),
            period=find_period(quarter),
        )

    def _exists(self, code: str, quarter: str) -> bool:
        return self.pipeline.units.exists(code, quarter)

    async def unit(self, request: Request) -> Response:
        quarter, unit = request.path_params["quarter"], request.path_params["unit"]
        self.own(request, quarter, unit)
        said = _SAID.get(request.query_params.get("da-nop", ""))
        name = request.query_params.get("tep", "")
        notice = (said[0], said[1].format(name=name)) if said else None
        return await self._unit_page(request, quarter, unit, notice)

    async def _unit_page(
        self, request: Request, quarter: str, unit: str, notice: tuple[str, str] | None, status: int = 200
    ) -> Response:
        def gather() -> dict[str, Any]:
            is_superior = self.pipeline.units.is_superior(unit, quarter)
            reporting = unit if is_superior else self.pipeline.units.reporting_unit(unit, quarter)
            has_report = unit == reporting and not is_superior
            (box,) = [b for b in boxes(self.pipeline, quarter, [reporting]) if b.unit_code == unit]
            return {
                "box": box,
                "links": self._workbooks(request, box),
                "papers": self._papers(request, quarter, unit),
                "review": self._review(request, quarter, unit) if has_report else [],
                "reasons": self._report(unit, quarter) if has_report else None,
                "sources": self._sources(unit, quarter),
            }

        return self.show(
            request, "unit.html.j2", status, notice=notice, quarter=quarter, **await run_in_threadpool(gather)
        )

    def _sources(self, unit: str, quarter: str) -> list[Contract]:
        """What units like this one deliver, by title; what must be delivered first."""
        role = self.pipeline.units.role_of(unit, quarter)
        taken = [c for c in load_contracts().values() if role in c.delivered_by]
        return sorted(taken, key=lambda c: (role not in c.required_from, c.title_vi))

    def _report(self, unit: str, quarter: str) -> tuple[str, list[str]]:
        """How the unit's report stands, and why it is held back, as ``cchc status`` says it."""
        from publication import DamagedPointer

        try:
            found = report_standing(self.pipeline, unit, quarter)
            return found.state_vi, found.reasons
        except DamagedPointer as error:  # what is delivered and what came back is shown all the same
            return "chưa đọc được", [str(error)]

    def _workbooks(self, request: Request, box: Box) -> dict[Path | None, str]:
        folder = outbox_folder(self.pipeline.deliveries.paths, box.unit_code, box.period.quarter)
        return {
            told.delivery.workbook: self._link(request, box.period.quarter, box.unit_code, _BACK, folder, workbook)
            for told in box.told
            if (workbook := told.delivery.workbook)
        }

    def _papers(self, request: Request, quarter: str, unit: str) -> list[Offered]:
        folder = outbox_folder(self.pipeline.deliveries.paths, unit, quarter)
        named = ((papers.RECEIPT, "Biên nhận của kỳ"), (papers.REMINDER, "Giấy nhắc nộp"))
        return [
            Offered(label, self._link(request, quarter, unit, _BACK, folder, folder / name))
            for name, label in named
            if is_regular_file(folder / name)
        ]

    def _review(self, request: Request, quarter: str, unit: str) -> list[Offered]:
        """What is to be looked through before publication: decisions to be taken, the draft and its findings."""
        folder = self.pipeline.home.review / unit / quarter
        files = {name: path for name, path in regular_files(folder).items() if is_regular_file(path)}
        return [
            Offered(_REVIEW_VI.get(path.name, name), self._link(request, quarter, unit, _REVIEW, folder, path))
            for name, path in files.items()
            if not path.name.startswith(".") and path.suffix != ".json"
        ]

    def _link(self, request: Request, quarter: str, unit: str, kind: str, folder: Path, path: Path) -> str:
        prefix = request.scope.get("root_path", "").rstrip("/")
        return f"{prefix}/tep/{quarter}/{unit}/{kind}/{quote(path.relative_to(folder).as_posix())}"

    def _folder(self, kind: str, quarter: str, unit: str) -> Path | None:
        """The folder of one kind of files that the page offers."""
        return {
            _BACK: outbox_folder(self.pipeline.deliveries.paths, unit, quarter),
            _REVIEW: self.pipeline.home.review / unit / quarter,
        }.get(kind)

    # ---------------------------------------------------------------------------------------------------------- files

    async def file(self, request: Request) -> Response:
        """A file of the unit's outbox or review, as a download; never one that is reached by a link or from outside."""
        quarter, unit = request.path_params["quarter"], request.path_params["unit"]
        self.own(request, quarter, unit)
        folder = self._folder(request.path_params["kind"], quarter, unit)
        # What is asked for is looked up among what lies there, so that no path leads anywhere else.
        path = regular_files(folder).get(request.path_params["path"]) if folder else None
        if path is None or not is_regular_file(path):
            raise HTTPException(404, "Tệp này không còn ở đây: đã sửa xong, hoặc vừa được lập lại. Tải lại trang.")
        return FileResponse(path, filename=path.name, content_disposition_type="attachment")

    async def template(self, request: Request) -> Response:
        """The empty template of a source, with the unit's names."""
        quarter, unit, source = (request.path_params[name] for name in ("quarter", "unit", "source"))
        self.own(request, quarter, unit)
        if source not in {contract.source for contract in self._sources(unit, quarter)}:
            raise HTTPException(404, "Đơn vị này không nộp nguồn ấy.")
        as_text = load_contracts()[source].prose is not None
        data = await run_in_threadpool(
            lambda: write_template(
                self.pipeline.deliveries.paths,
                source,
                unit,
                quarter,
                reference=self.pipeline.units.reference,
                as_text=as_text,
            )
        )
        name = f"mau-{source}-{unit}-{quarter}.{'txt' if as_text else 'xlsx'}"
        return Response(
            data,
            media_type="application/octet-stream",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    async def send(self, request: Request) -> Response:
        """A file is sent, to be tried (``viec=thu``) or to be delivered."""
        quarter, unit = request.path_params["quarter"], request.path_params["unit"]
        visitor = self.own(request, quarter, unit)
        form = await self._form(request)
        self.check_token(request, str(form.get("csrf", "")))
        source, upload = str(form.get("nguon", "")), form.get("tep")
        try:
            if source not in {contract.source for contract in self._sources(unit, quarter)}:
                raise NotDeliverable("Chưa chọn nguồn số liệu. Chọn nguồn trong danh sách rồi bấm lại.")
            if not isinstance(upload, UploadFile):
                raise NotDeliverable("Chưa chọn tệp nào. Chọn tệp rồi bấm lại.")
            name = clean_name(upload.filename or "")
            staged = await run_in_threadpool(self.room.take, upload.file, name, source, unit, quarter, visitor.login)
        except NotDeliverable as error:
            return await self._unit_page(request, quarter, unit, ("mend", str(error)), 422)
        with self.room.holding(staged):
            if form.get("viec") != "thu":
                return await self._delivered(request, staged)
            checked = await run_in_threadpool(self._tried, staged)
            self.room.keep(replace(staged, checked=checked))
            return self._go(request, f"/thu/{staged.token}")

    def _tried(self, staged: Staged) -> Any:
        return check_file(
            self.pipeline.deliveries.paths,
            staged.source,
            staged.path,
            staged.unit_code,
            staged.quarter,
            reference=self.pipeline.units.reference,
            limits=self.settings.intake,
            signers=self.settings.signers(),
        )

    async def _delivered(self, request: Request, staged: Staged) -> Response:
        """The file goes into the landing folder first; then it is tried, so that its sender need not wait for a run to
        learn what comes back.
        """
        try:
            outcome = await run_in_threadpool(deliver, self.pipeline, staged)
        except NotDeliverable as error:
            return await self._unit_page(request, staged.quarter, staged.unit_code, ("mend", str(error)), 422)
        checked = staged.checked
        if checked is None:
            with suppress(Exception):  # it is delivered all the same, and the run will say what is wrong
                checked = await run_in_threadpool(self._tried, staged)
        self.room.keep(replace(staged, checked=checked, delivered=outcome))
        if checked is None:
            words = urlencode({"da-nop": outcome, "tep": staged.name})
            return self._go(request, f"/don-vi/{staged.quarter}/{staged.unit_code}?{words}")
        return self._go(request, f"/thu/{staged.token}")

    def _staged(self, request: Request) -> Staged:
        staged = self.room.find(request.path_params["token"], self.visitor(request).login)
        if staged is None or staged.checked is None:
            raise HTTPException(404, "Kết quả thử này đã hết hạn. Chọn tệp và thử lại.")
        return staged

    async def tried(self, request: Request) -> Response:
        """What trying a file came to."""
        staged = self._staged(request)
        found = staged.checked
        assert found is not None
        contract = load_contracts()[staged.source]
        return self.show(
            request,
            "tried.html.j2",
            staged=staged,
            found=found,
            contract=contract,
            said=(_SAID[staged.delivered][0], _SAID[staged.delivered][1].format(name=staged.name))
            if staged.delivered
            else None,
            would_be=facts.WOULD_BE_VI[found.outcome],
            sources=self._sources(staged.unit_code, staged.quarter),
            name=self.pipeline.units.name_of(staged.unit_code, staged.quarter),
            rejections=faults_of(found.rejections, contract),
            findings=faults_of(found.findings, contract),
        )

    async def tried_workbook(self, request: Request) -> Response:
        staged = self._staged(request)
        if staged.checked is None or staged.checked.workbook is None:
            raise HTTPException(404, "Không có dòng nào bị trả lại.")
        name = quote(f"{staged.name}.rejected.xlsx")
        headers = {"Content-Disposition": f"attachment; filename*=utf-8''{name}"}
        return Response(staged.checked.workbook, media_type="application/octet-stream", headers=headers)

    async def deliver_tried(self, request: Request) -> Response:
        form = await self._form(request)
        self.check_token(request, str(form.get("csrf", "")))
        staged = self._staged(request)
        self.own(request, staged.quarter, staged.unit_code)
        if staged.delivered:
            return self._go(request, f"/thu/{staged.token}")
        return await self._delivered(request, staged)

    async def _form(self, request: Request) -> Any:
        """The form that was sent; raises ``HTTPException`` where it is larger than any file may be."""
        limit = self.settings.intake.max_file_bytes
        said = request.headers.get("content-length", "")
        too_large = HTTPException(413, f"Tệp lớn quá {limit >> 20} MB; chia nhỏ rồi nộp lại. Chưa nộp gì.")
        if said.isdigit() and int(said) > limit + _FIELD_BYTES:
            raise too_large
        counted = Request(request.scope, _counted(request.receive, limit + _FIELD_BYTES, too_large))
        return await counted.form(max_files=1, max_fields=8, max_part_size=_FIELD_BYTES)

    def _go(self, request: Request, place: str) -> Response:
        return RedirectResponse(f"{request.scope.get('root_path', '').rstrip('/')}{place}", 303)

    async def style(self, request: Request) -> Response:
        return Response(papers.style(), media_type="text/css", headers={"Cache-Control": "max-age=86400"})

    async def failed(self, request: Request, error: Exception) -> Response:
        """Every error is a page that says what to do; one of the program's own says no more than its kind."""
        if isinstance(error, HTTPException):
            said = error.detail if error.status_code not in (400, 405) else "Yêu cầu không đúng. Mở lại trang."
            said = "Không có trang này." if said == "Not Found" else said
            return self.show(request, "error.html.j2", error.status_code, message=said)
        if isinstance(error, DamagedError):
            return self.show(request, "error.html.j2", 503, message=f"Kho số liệu hư hại: {error}")
        if isinstance(error, OSError):
            why = "Máy chủ không ghi hoặc không đọc được tệp (hết chỗ, thiếu quyền). Chưa nộp gì; báo người quản trị."
            _log.error("%s: %s", type(error).__name__, error.strerror)
            return self.show(request, "error.html.j2", 503, message=why)
        _log.error("%s in the office's page", type(error).__name__)
        why = f"Lỗi của chương trình ({type(error).__name__}); chưa nộp gì. Báo người quản trị."
        return self.show(request, "error.html.j2", 500, message=why)


def _counted(receive: Receive, limit: int, too_large: HTTPException) -> Receive:
    """The body as it comes, up to so many bytes, whatever was said of it."""
    seen = 0

    async def counting() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise too_large
        return message

    return counting


def is_asked_here(host: str) -> bool:
    """Whether a request names this machine itself: as its own browser does, and as a proxy is told to."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


Handler = Callable[[Request], Awaitable[Response]]


def build(settings: Settings) -> Starlette:
    """The application over one home; served by ``python -m orchestration.office``."""
    office = Office(settings)

    def guarded(handler: Handler) -> Handler:
        async def answer(request: Request) -> Response:
            request.state.new_cookie = secrets.token_hex(16)
            try:
                if not is_asked_here(request.headers.get("host", "")):
                    raise HTTPException(421, "Mở trang này bằng địa chỉ mà máy chủ in ra.")
                if request.method == "POST" and request.headers.get("sec-fetch-site", "none") not in (
                    "same-origin",
                    "none",
                ):
                    raise HTTPException(403, "Yêu cầu đến từ trang khác nên không được nhận. Mở lại trang rồi nộp.")
                response = await handler(request)
            except Exception as error:
                response = await office.failed(request, error)
            for name, value in _HEADERS.items():
                response.headers.setdefault(name, value)
            if _COOKIE not in request.cookies:
                path = request.scope.get("root_path", "") or "/"
                response.set_cookie(_COOKIE, request.state.new_cookie, path=path, httponly=True, samesite="strict")
            return response

        return answer

    async def missing(request: Request) -> Response:
        raise HTTPException(404, "Không có trang này.")

    async def sweeping() -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            await run_in_threadpool(office.room.sweep)

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        sweeper = asyncio.create_task(sweeping())
        try:
            yield
        finally:
            sweeper.cancel()
            with suppress(OSError):
                office.room.close()

    read, write = ["GET"], ["POST"]
    places: list[tuple[str, Handler, list[str]]] = [
        ("/", office.overview, read),
        ("/office.css", office.style, read),
        ("/don-vi/{quarter}/{unit}", office.unit, read),
        ("/don-vi/{quarter}/{unit}/tep", office.send, write),
        ("/tep/{quarter}/{unit}/{kind}/{path:path}", office.file, read),
        ("/mau/{quarter}/{unit}/{source}", office.template, read),
        ("/thu/{token}", office.tried, read),
        ("/thu/{token}/tra-lai.xlsx", office.tried_workbook, read),
        ("/thu/{token}/nop", office.deliver_tried, write),
        ("/{path:path}", missing, ["GET", "POST"]),
    ]
    routes = [Route(path, guarded(handler), methods=methods) for path, handler, methods in places]
    return Starlette(routes=routes, lifespan=life)


def server(settings: Settings, host: str, port: int, path_prefix: str = "") -> uvicorn.Server:
    """The page as a server that has not begun; ``path_prefix`` is taken off by the proxy before it."""
    return uvicorn.Server(
        uvicorn.Config(
            build(settings),
            host=host,
            port=port,
            root_path=path_prefix,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=5,
        )
    )


__all__ = ["LOGIN_HEADER", "Office", "build", "is_asked_here", "server"]
