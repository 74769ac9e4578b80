"""``published/feed.atom`` and ``published/catalog.jsonld``: releases and corrections for readers and data portals.

Belongs here: both files, made from the entries of ``index.json`` alone: equal entries give equal bytes. Does not
belong here: finding releases (``publication.index``), the page for people (``publication.page``).

The feed is Atom (RFC 4287), the catalogue DCAT-AP 3 as JSON-LD. Every address in them is relative to the file, so that
a published folder may be put anywhere; what stays the same wherever it is, are the names of things (``urn:uuid:``).
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from common.files import readable_json
from publication.content.steps import Step, standing_sentence, step_summary, step_title
from publication.formatting import format_quarter, markup_text
from publication.tables.datapackage import media_type

FEED_NAME = "feed.atom"
CATALOGUE_NAME = "catalog.jsonld"
#: Steps that the feed tells, newest first; who comes later reads the catalogue.
_STEPS_TOLD = 500
_ATOM = "http://www.w3.org/2005/Atom"
_NAMES = uuid.uuid5(uuid.NAMESPACE_OID, "cchc-warehouse")
_TITLE = "Báo cáo cải cách hành chính đã công bố"
_CONTEXT = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_DESCRIPTION_VI = "Biểu mẫu báo cáo, các bảng số liệu, nguồn gốc từng số và ghi chú chất lượng."
_DESCRIPTION = "The report's form, its tables, the origin of each figure and notes on quality."
_STANDINGS = {
    True: " Provisional figures.",
    False: "",
    None: " It is not known whether the figures are provisional.",
}
_MEDIA_TYPES = "https://www.iana.org/assignments/media-types/"
_AUTHORITY = "http://publications.europa.eu/resource/authority/"

Entry = Mapping[str, Any]


def _urn(*parts: object) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMES, json.dumps(parts))}"


def _steps(entries: Sequence[Entry]) -> list[tuple[Entry, Step]]:
    """Every step whose moment is known, newest first."""
    known = [(entry, step) for entry in entries for step in entry["history"] if step["at"]]
    return sorted(
        known,
        key=lambda pair: (dt.datetime.fromisoformat(pair[1]["at"]), pair[0]["unit_code"], pair[0]["quarter"]),
        reverse=True,
    )


def render_feed(entries: Sequence[Entry]) -> bytes:
    """Publications, corrections and releases taken back. Those whose moment no manifest tells are left to the index.

    Raises ``ParseError`` where no reader could read it.
    """
    steps = _steps(entries)
    feed = ElementTree.Element("feed", {"xmlns": _ATOM, "xml:lang": "vi"})

    def add(parent: ElementTree.Element, name: str, text: str = "", **attributes: str) -> ElementTree.Element:
        made = ElementTree.SubElement(parent, name, {key: markup_text(value) for key, value in attributes.items()})
        made.text = markup_text(text) or None
        return made

    # Named by its first step, which stays the first whatever is published later.
    first, step = steps[-1] if steps else ({"unit_code": ""}, {"at": ""})
    add(feed, "id", _urn("feed", first["unit_code"], step["at"]))
    add(feed, "title", _TITLE)
    add(feed, "updated", steps[0][1]["at"] if steps else "1970-01-01T00:00:00Z")
    add(feed, "link", rel="self", href=FEED_NAME, type="application/atom+xml")
    add(feed, "link", rel="alternate", href="index.html", type="text/html")
    for entry, step in steps[:_STEPS_TOLD]:
        told = add(feed, "entry")
        place = entry["unit_code"], entry["quarter"]
        add(told, "id", _urn("step", *place, step["release"], step["action"], step["at"]))
        add(told, "title", f"{entry['unit_name_vi']}, {format_quarter(entry['quarter'])}: {step_title(step)}")
        add(told, "updated", step["at"])
        add(add(told, "author"), "name", entry["unit_name_vi"])
        add(told, "category", term=entry["unit_code"], label=entry["unit_name_vi"])
        add(told, "category", term=entry["quarter"], label=format_quarter(entry["quarter"]))
        page = f"{'/'.join(place)}/r{step['release']}/report/index.html"
        add(told, "link", rel="alternate", href=page, type="text/html")
        add(told, "summary", " ".join(step_summary(step)))
    ElementTree.indent(feed)
    made = bytes(ElementTree.tostring(feed, encoding="utf-8", xml_declaration=True)) + b"\n"
    # The writer lets characters through that no reader takes; a feed that cannot be read takes no other's place.
    ElementTree.fromstring(made)
    return made


def render_catalogue_of_data(entries: Sequence[Entry]) -> bytes:
    """One dataset for each unit and quarter, in its current release, with the files that it can be had as."""
    units = sorted({(entry["unit_code"], entry["unit_name_vi"]) for entry in entries})
    publisher = units[0][1] if len(units) == 1 else f"{len(units)} đơn vị báo cáo"
    catalogue = {
        "@context": _CONTEXT,
        "@id": CATALOGUE_NAME,
        "@type": "dcat:Catalog",
        "dct:title": _said(vi=_TITLE, en="Published administrative reform reports"),
        "dct:description": _said(
            vi="Số liệu cải cách hành chính của từng đơn vị và kỳ báo cáo, bản hiện hành.",
            en="Administrative reform figures by unit and reporting period, in their current release.",
        ),
        "dct:publisher": {"@type": "foaf:Organization", "foaf:name": publisher},
        "dct:language": _named(_AUTHORITY + "language/VIE"),
        "foaf:homepage": _named("index.html"),
        "dcat:dataset": [_dataset(entry) for entry in entries],
    }
    return readable_json(catalogue)


def _dataset(entry: Entry) -> dict[str, Any]:
    opens_on, closes_on = entry["window"]
    moments = [step["at"] for step in entry["history"] if step["at"]]
    terms = entry["terms"]
    dated = {"dct:issued": _moment(moments[0]), "dct:modified": _moment(moments[-1])} if moments else {}
    return {
        "@id": _urn("dataset", entry["unit_code"], entry["quarter"]),
        "@type": "dcat:Dataset",
        "dct:identifier": f"cchc-{entry['unit_code']}-{entry['quarter']}".lower(),
        "dct:title": _said(
            vi=f"Số liệu cải cách hành chính {format_quarter(entry['quarter'])}, {entry['unit_name_vi']}",
            en=f"Administrative reform figures, {entry['unit_name_vi']}, {entry['quarter']}",
        ),
        "dct:description": _said(
            vi=" ".join((_DESCRIPTION_VI, *standing_sentence(entry["provisional"]))),
            en=f"{_DESCRIPTION}{_STANDINGS[entry['provisional']]}",
        ),
        "dct:publisher": {
            "@type": "foaf:Organization",
            "dct:identifier": entry["unit_code"],
            "foaf:name": entry["unit_name_vi"],
        },
        "dct:language": _named(_AUTHORITY + "language/VIE"),
        # What is published of one period changes only when it is corrected.
        "dct:accrualPeriodicity": _named(_AUTHORITY + "frequency/IRREG"),
        "dct:temporal": {
            "@type": "dct:PeriodOfTime",
            "dcat:startDate": {"@type": "xsd:date", "@value": opens_on},
            "dcat:endDate": {"@type": "xsd:date", "@value": closes_on},
        },
        "dcat:theme": _named(_AUTHORITY + "data-theme/GOVE"),
        "dcat:version": f"r{entry['release']}",
        "adms:versionNotes": _said(vi=" ".join(text for step in entry["history"][-1:] for text in step_summary(step))),
        **({"dcat:contactPoint": _contact(terms["contact_vi"])} if "contact_vi" in terms else {}),
        **({"dcat:landingPage": _named(entry["files"]["page"])} if "page" in entry["files"] else {}),
        "dcat:distribution": [
            {
                "@type": "dcat:Distribution",
                "@id": path,
                "dct:title": path.rsplit("/", 1)[-1],
                "dcat:accessURL": _named(path),
                "dcat:downloadURL": _named(path),
                "dcat:mediaType": _named(_MEDIA_TYPES + media_type(path)),
                **_licence(terms),
            }
            for _, path in sorted(entry["files"].items())
        ],
        **dated,
    }


def _contact(text: str) -> dict[str, Any]:
    """What the office set, in one piece: what of it is a name, an address or a number nobody has said."""
    return {"@type": "vcard:Kind", "vcard:fn": text}


def _licence(terms: Mapping[str, str]) -> dict[str, Any]:
    """The licence by its address and name, as far as the office named it; nothing where it named none."""
    named = {
        **({"@id": terms["licence_url"]} if "licence_url" in terms else {}),
        **({"dct:title": _said(vi=terms["licence_vi"])} if "licence_vi" in terms else {}),
    }
    return {"dct:license": {"@type": "dct:LicenseDocument", **named}} if named else {}


def _said(**texts: str) -> list[dict[str, str]]:
    return [{"@language": language, "@value": text} for language, text in texts.items()]


def _named(address: str) -> dict[str, str]:
    return {"@id": address}


def _moment(text: str) -> dict[str, str]:
    return {"@type": "xsd:dateTime", "@value": text}
