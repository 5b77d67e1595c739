#!/usr/bin/env python3
"""Makes fixtures/units/units.tsv and fixtures/units/succession.tsv.

Takes the data (never the code) of the PyPI wheel `vietnamadminunits` 1.0.4 (MIT), repairs its
text, adds the changes of 30 April 2026, checks the totals and writes the two files. The same wheel
gives the same bytes. Python 3 standard library only.

    tools/units/build_units.py [WHEEL]

Without WHEEL the wheel is fetched with `pip download`.
"""

import collections
import hashlib
import json
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import unicodedata
import zipfile

PACKAGE = "vietnamadminunits==1.0.4"
WHEEL_SHA256 = "737ee3662e877290386c1c45ed4d71f2e5fae34ab6fb9c64bfb4cb74b216ea35"
OUT = pathlib.Path(__file__).resolve().parents[2] / "fixtures" / "units"

OLD, NEW = "2024", "2025"
# Half-open intervals: valid_from is the first day, valid_to the first day on which it no longer holds.
REFORM = "2025-07-01"
AMENDED = "2026-04-30"
LAW_OLD = "QĐ 124/2004/QĐ-TTg"
LAW_NEW = "QĐ 19/2025/QĐ-TTg"
LAW_PROVINCE_2026 = "NQ 30/2026/QH16"
LAW_COMMUNE_2026 = "NQ 237/NQ-UBTVQH16"

# Code -> (kind, name) before 30 April 2026; each becomes the kind beside it and keeps code and name.
AMENDED_PROVINCES = {"75": ("tỉnh", "Đồng Nai", "thành phố")}
AMENDED_COMMUNES = {
    "25270": "Lộc Ninh",
    "25357": "Tân Khai",
    "25363": "Đồng Phú",
    "26116": "Tân Phú",
    "26170": "Trị An",
    "26248": "Trảng Bom",
    "26326": "Dầu Giây",
    "26368": "Long Thành",
    "26425": "Xuân Lộc",
    "26485": "Nhơn Trạch",
}

KINDS = ("tỉnh", "thành phố", "huyện", "quận", "thị xã", "xã", "phường", "thị trấn", "đặc khu")
LEVELS = ("province", "district", "commune")

Unit = collections.namedtuple(
    "Unit", "code list_version level kind name parent valid_from valid_to legal_ref"
)
Link = collections.namedtuple("Link", "old_code old_list new_code new_list share")


def repair(text):
    """One Unicode form, one apostrophe, single spaces, Đ for the Icelandic Ð, capital first letters."""
    text = unicodedata.normalize("NFC", text).replace("\u00d0", "Đ").replace("\u00f0", "đ")
    text = re.sub("['`\u2018\u02bc]", "\u2019", text)
    words = text.split()
    # The lists hold a few "Đại áng", "Pa ủ"; "Nông trường" is the one word pair written small by rule.
    return " ".join(w if w == "trường" else w[0].upper() + w[1:] for w in words)


def kind_and_name(title):
    """("thị trấn", "Bình Liêu") of "Thị trấn Bình Liêu": by the title, since the type column errs."""
    title = repair(title)
    for kind in sorted(KINDS, key=len, reverse=True):
        if title.lower().startswith(kind + " "):
            return kind, title[len(kind) + 1 :]
    raise SystemExit(f"no kind in {title!r}")


def read_wheel(path):
    with zipfile.ZipFile(path) as wheel, tempfile.TemporaryDirectory() as folder:
        wheel.extract("vietnamadminunits/data/dataset.db", folder)
        base = sqlite3.connect(pathlib.Path(folder, "vietnamadminunits/data/dataset.db"))
        base.row_factory = sqlite3.Row
        old = [dict(row) for row in base.execute("SELECT * FROM admin_units_legacy")]
        new = [dict(row) for row in base.execute("SELECT * FROM admin_units")]
        base.close()
        changes = json.loads(wheel.read("vietnamadminunits/data/converter_2025.json"))
    return old, new, changes


def build_units(old, new):
    units = set()

    def add(list_version, level, code, title, parent):
        kind, name = kind_and_name(title)
        if list_version == OLD:
            units.add(Unit(code, OLD, level, kind, name, parent, "", REFORM, LAW_OLD))
            return
        late = AMENDED_PROVINCES.get(code) if level == "province" else None
        law = LAW_PROVINCE_2026
        if level == "commune" and code in AMENDED_COMMUNES:
            late, law = ("xã", AMENDED_COMMUNES[code], "phường"), LAW_COMMUNE_2026
        if late is None:
            units.add(Unit(code, NEW, level, kind, name, parent, REFORM, "", LAW_NEW))
            return
        assert late[:2] == (kind, name), (code, kind, name, late)
        units.add(Unit(code, NEW, level, kind, name, parent, REFORM, AMENDED, LAW_NEW))
        units.add(Unit(code, NEW, level, late[2], name, parent, AMENDED, "", law))

    for row in old:
        add(OLD, "province", row["provinceCode"], row["province"], "")
        add(OLD, "district", row["districtCode"], row["district"], row["provinceCode"])
        if row["wardCode"]:
            add(OLD, "commune", row["wardCode"], row["ward"], row["districtCode"])
    for row in new:
        add(NEW, "province", row["provinceCode"], row["province"], "")
        add(NEW, "commune", row["wardCode"], row["ward"], row["provinceCode"])
    return sorted(units, key=lambda u: (u.list_version, LEVELS.index(u.level), u.code, u.valid_from))


def build_succession(old, new, changes):
    # Five island districts had no commune: there the district itself is what became a new unit.
    old_codes = {
        "_".join((r["provinceKey"], r["districtKey"], r["wardKey"] or "")): r["wardCode"] or r["districtCode"]
        for r in old
    }
    new_codes = {(r["provinceKey"], r["wardKey"]): r["wardCode"] for r in new}
    old_provinces = {r["provinceKey"]: r["provinceCode"] for r in old}
    new_provinces = {r["provinceKey"]: r["provinceCode"] for r in new}
    links = set()
    for province, olds in changes["DICT_PROVINCE"].items():
        for key in olds:
            links.add(Link(old_provinces[key], OLD, new_provinces[province], NEW, "full"))
    for province, communes in changes["DICT_PROVINCE_WARD_NO_DIVIDED"].items():
        for commune, olds in communes.items():
            for key in olds:
                links.add(Link(old_codes[key], OLD, new_codes[province, commune], NEW, "full"))
    for province, olds in changes["DICT_PROVINCE_WARD_DIVIDED"].items():
        for key, parts in olds.items():
            for part in parts:
                links.add(Link(old_codes[key], OLD, new_codes[province, part["newWardKey"]], NEW, "part"))
    return sorted(links, key=lambda l: (len(l.old_code), l))


def check(units, links):
    def count(date, list_version, level):
        return collections.Counter(
            u.kind
            for u in units
            if u.list_version == list_version and u.level == level
            and u.valid_from <= date and (not u.valid_to or date < u.valid_to)
        )

    def expect(what, found, wanted):
        if found != wanted:
            raise SystemExit(f"{what}: found {found}, expected {wanted}")

    before, after = "2026-04-29", AMENDED
    expect("provinces before", count(before, NEW, "province"), {"tỉnh": 28, "thành phố": 6})
    expect("provinces after", count(after, NEW, "province"), {"tỉnh": 27, "thành phố": 7})
    expect("communes before", count(before, NEW, "commune"), {"xã": 2621, "phường": 687, "đặc khu": 13})
    expect("communes after", count(after, NEW, "commune"), {"xã": 2611, "phường": 697, "đặc khu": 13})
    expect("old provinces", sum(count("2025-06-30", OLD, "province").values()), 63)
    expect("old districts", sum(count("2025-06-30", OLD, "district").values()), 696)
    expect("old communes", sum(count("2025-06-30", OLD, "commune").values()), 10035)

    parents = {(u.code, u.list_version): u.parent for u in units}
    for u in units:
        if u.level != "province" and (u.parent, u.list_version) not in parents:
            raise SystemExit(f"no parent: {u}")

    def province(code, list_version):
        while parents[code, list_version]:
            code = parents[code, list_version]
        return code

    targets = collections.defaultdict(set)
    shares = collections.defaultdict(set)
    for link in links:
        for end in ((link.old_code, link.old_list), (link.new_code, link.new_list)):
            if end not in parents:
                raise SystemExit(f"no such unit {end}: {link}")
        targets[link.old_code].add(link.new_code)
        shares[link.old_code].add(link.share)
    for code, new in targets.items():
        expect(f"shares of {code}", shares[code], {"full"} if len(new) == 1 else {"part"})
        if len(code) > 2:
            # No commune left the province that its old province became.
            home = {province(n, NEW) for n in new}
            expect(f"province of {code}", home, targets[province(code, OLD)])
    split = collections.Counter(len(new) for new in targets.values() if len(new) > 1)
    expect("split communes", split, {2: 397, 3: 58, 4: 15, 5: 1})
    expect("old communes with a successor", sum(len(code) == 5 for code in targets), 10035)
    expect("new communes with a predecessor", len({l.new_code for l in links if len(l.new_code) == 5}), 3321)


def write(name, about, fields, rows):
    lines = [f"# {line}" for line in about] + ["\t".join(fields)]
    for row in rows:
        assert all("\t" not in cell and "\n" not in cell for cell in row), row
        lines.append("\t".join(row))
    text = unicodedata.normalize("NFC", "\n".join(lines) + "\n")
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / name).write_text(text, encoding="utf-8", newline="\n")
    print(f"{name}: {len(rows)} rows, {len(text.encode())} bytes")


def main():
    with tempfile.TemporaryDirectory() as folder:
        if len(sys.argv) > 1:
            wheel = pathlib.Path(sys.argv[1])
        else:
            subprocess.run(
                [sys.executable, "-m", "pip", "download", "--no-deps", "--dest", folder, PACKAGE], check=True
            )
            wheel = next(pathlib.Path(folder).glob("*.whl"))
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        if digest != WHEEL_SHA256:
            raise SystemExit(f"{wheel.name}: sha256 is {digest}, expected {WHEEL_SHA256}")
        old, new, changes = read_wheel(wheel)
    units = build_units(old, new)
    links = build_succession(old, new, changes)
    check(units, links)
    source = [
        f"source: data of PyPI {PACKAGE} (MIT, Copyright (c) 2025 Tran Ngoc Minh Hieu), repaired and amended",
        f"law: {LAW_NEW} (list {NEW}), {LAW_OLD} (list {OLD}), {LAW_PROVINCE_2026}, {LAW_COMMUNE_2026}",
        "made by tools/units/build_units.py; do not edit",
        f"as of: {AMENDED}",
    ]
    write(
        "units.tsv",
        [
            "Administrative units of Vietnam: the list in force since 1 July 2025 and the one before it.",
            "valid_from is the first day, valid_to the first day after; empty is open. A unit whose kind",
            "changed has one row for each stretch of time.",
            *source,
        ],
        Unit._fields,
        units,
    )
    write(
        "succession.tsv",
        ["What each old unit became: full = all of it in that unit, part = split between several.", *source],
        Link._fields,
        links,
    )


if __name__ == "__main__":
    main()
