"""Excel workbooks: the first sheet, its cells with their types."""

import importlib.util
import io
import zipfile

import pytest

from pellucid.data import read_batches, read_table

ROWS = [
    ["name", "n", "x", "when"],
    ["007", 1, 1.5, 45000],
    ["NA", 2, None, 45001],
    [3, 3, 2, 45002],
]


def workbook(*sheets):
    """An Excel file of sheets of rows; the last column holds dates."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        kinds, links, entries = "", "", ""
        main = "application/vnd.openxmlformats-officedocument.spreadsheetml"
        office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
        space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
        package = "http://schemas.openxmlformats.org/package/2006"
        for i, rows in enumerate(sheets, start=1):
            archive.writestr(f"xl/worksheets/sheet{i}.xml", _sheet(rows, space))
            kinds += (
                f'<Override PartName="/xl/worksheets/sheet{i}.xml" '
                f'ContentType="{main}.worksheet+xml"/>'
            )
            target = f'Target="worksheets/sheet{i}.xml"'
            links += f'<Relationship Id="r{i}" Type="{office}/worksheet" {target}/>'
            entries += f'<sheet name="Sheet {i}" sheetId="{i}" r:id="r{i}"/>'
        links += f'<Relationship Id="s" Type="{office}/styles" Target="styles.xml"/>'
        archive.writestr(
            "[Content_Types].xml",
            f'<Types xmlns="{package}/content-types"><Default Extension="rels" '
            'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{main}.sheet.main+xml"/>'
            f'<Override PartName="/xl/styles.xml" ContentType="{main}.styles+xml"/>{kinds}</Types>',
        )
        archive.writestr(
            "_rels/.rels",
            f'<Relationships xmlns="{package}/relationships"><Relationship Id="r" '
            f'Type="{office}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        )
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook {space} xmlns:r="{office}"><sheets>{entries}</sheets></workbook>',
        )
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            f'<Relationships xmlns="{package}/relationships">{links}</Relationships>',
        )
        archive.writestr(
            "xl/styles.xml",
            f'<styleSheet {space}><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/>'
            "</cellXfs></styleSheet>",
        )
    return file.getvalue()


def _sheet(rows, space):
    lines = ""
    for r, row in enumerate(rows, start=1):
        cells = ""
        for c, value in enumerate(row):
            place = f"{chr(65 + c)}{r}"
            if isinstance(value, str):
                cells += f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
            elif value is not None:
                style = ' s="1"' if value >= 45000 else ""
                cells += f'<c r="{place}"{style}><v>{value}</v></c>'
        lines += f'<row r="{r}">{cells}</row>'
    return f"<worksheet {space}><sheetData>{lines}</sheetData></worksheet>"


def write(folder, content, name="t.xlsx"):
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("engine", ["pandas", "polars", "pyarrow"])
def test_a_workbook_is_the_table_of_its_first_sheet(tmp_path, engine):
    pytest.importorskip("python_calamine")
    pytest.importorskip(engine)
    import narwhals as nw

    empty = [[None], [""]]
    for name in ("t.xlsx", "t.zip", "t"):
        path = write(tmp_path, workbook(ROWS + empty), name)
        for frame in (read_table(path, engine), *read_batches(path, 10, engine)):
            table = nw.from_native(frame, eager_only=True)
            assert table.columns == ["name", "n", "x", "when"]
            assert table["name"].to_list()[::2] == ["007", "3"] and table["name"].is_null()[1]
            assert table["n"].to_list() == [1, 2, 3]
            assert table["x"].to_list()[::2] == [1.5, 2.0]
            assert [str(day)[:10] for day in table["when"].to_list()] == [
                "2023-03-15", "2023-03-16", "2023-03-17",
            ]  # fmt: skip


def test_further_sheets_are_said_and_faults_are_told(tmp_path):
    pytest.importorskip("python_calamine")
    match = r"^t\.xlsx has 2 sheets: read is the first, 'Sheet 1', and not 'Sheet 2'\.$"
    with pytest.warns(UserWarning, match=match):
        read_table(write(tmp_path, workbook(ROWS, ROWS)))
    with pytest.raises(ValueError, match="must begin with its column names"):
        read_table(write(tmp_path, workbook([["Report 2024"], *ROWS])))
    with pytest.raises(ValueError, match="must have at least one row below its header. Got none."):
        read_table(write(tmp_path, workbook(ROWS[:1])))
    with pytest.raises(ValueError, match="Got 'n' twice"):
        read_table(write(tmp_path, workbook([["n", "n"], [1, 2]])))
    whole = workbook(ROWS)
    for content in (whole[: len(whole) // 2], whole.replace(b"PK\x01\x02", b"PK\x01\x03")):
        with pytest.raises(ValueError, match=r"^t\.xlsx cannot be (read|unpacked)"):
            read_table(write(tmp_path, content))


def test_without_a_reader_the_command_that_brings_it(tmp_path, monkeypatch):
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "python_calamine" else name
    )
    match = (
        r'^t\.xlsx, an Excel file, needs python_calamine, .*Run: pip install "pellucid\[excel\]"$'
    )
    with pytest.raises(ImportError, match=match):
        read_table(write(tmp_path, workbook(ROWS)))
    old = write(tmp_path, b"\xd0\xcf\x11\xe0" + bytes(600), "t.xls")
    with pytest.raises(ImportError, match=r'Run: pip install "pellucid\[excel\]"$'):
        read_table(old)
