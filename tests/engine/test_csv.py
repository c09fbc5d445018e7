"""The CSV table source: encoding, stability of the encoding, and every refusal with its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import DataError
from engine.records import Header
from engine.sources.columns import Encoder
from engine.sources.csv import CsvTable

CARS = "price,doors,label\n10,two,ok\n,four,bad\n30,two,ok\n20,?,bad\n"


def load(folder: Path, content: str | bytes, header: Header | None = None, **fields: object):
    file = folder / "t.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return CsvTable.of({"path": "t.csv", **fields}).load(folder, header)


def test_numbers_stay_numbers_and_categories_become_one_feature_each(tmp_path: Path) -> None:
    header, records = load(tmp_path, CARS)
    assert header.shape == (3,)
    assert header.classes == ("bad", "ok")
    assert records.samples.dtype == np.float32
    assert records.samples.tolist() == [[10, 0, 1], [20, 1, 0], [30, 0, 1], [20, 0, 0]]
    assert records.labels.tolist() == [1, 0, 1, 0]


def test_facts_are_the_raw_columns_with_nan_at_gaps(tmp_path: Path) -> None:
    header, records = load(tmp_path, CARS)
    assert [(c.name, c.categories) for c in header.columns] == [("price", ()), ("doors", ("four", "two"))]
    expected = [[10, 1], [np.nan, 0], [30, 1], [20, np.nan]]
    np.testing.assert_array_equal(records.facts, expected)


def test_gap_features_mark_the_gaps(tmp_path: Path) -> None:
    header, records = load(tmp_path, CARS, gap_features=True)
    assert header.shape == (5,)
    assert records.samples[:, 1].tolist() == [0, 1, 0, 0]
    assert records.samples[:, 4].tolist() == [0, 0, 0, 1]


def test_a_later_file_is_encoded_as_the_first_whatever_its_column_order(tmp_path: Path) -> None:
    header, first = load(tmp_path, CARS)
    same, again = load(tmp_path, "label,doors,more,price\nok,two,z,10\nbad,four,z,\n", header)
    assert same is header
    assert (again.samples == first.samples[:2]).all()
    assert again.labels.tolist() == [1, 0]
    assert "more" in again.notes[0]


def test_labels_may_be_absent_from_a_file_to_predict(tmp_path: Path) -> None:
    header, _ = load(tmp_path, CARS)
    _, records = load(tmp_path, "price,doors\n7,two\n", header)
    assert records.labels.tolist() == [-1]
    assert any("no label column" in note for note in records.notes)


def test_an_unseen_category_is_a_gap_with_a_note(tmp_path: Path) -> None:
    header, _ = load(tmp_path, CARS)
    _, records = load(tmp_path, "price,doors,label\n7,six,ok\n", header)
    assert records.samples.tolist() == [[7, 0, 0]]
    assert np.isnan(records.facts[0, 1])
    assert "'six'" in records.notes[0]


def test_an_unknown_class_names_line_and_column(tmp_path: Path) -> None:
    header, _ = load(tmp_path, CARS)
    with pytest.raises(
        DataError, match=r"line 3, column 'label': The class 'fine' is not known; there are bad, ok"
    ):
        load(tmp_path, "price,doors,label\n7,two,ok\n7,two,fine\n", header)


def test_a_missing_column_is_an_error(tmp_path: Path) -> None:
    header, _ = load(tmp_path, CARS)
    with pytest.raises(DataError, match="'doors' is missing"):
        load(tmp_path, "price,label\n7,ok\n", header)


def test_a_word_in_a_column_of_numbers_names_line_and_column(tmp_path: Path) -> None:
    header, _ = load(tmp_path, CARS)
    with pytest.raises(DataError, match=r"line 2, column 'price': 'dear' is not a number"):
        load(tmp_path, "price,doors,label\ndear,two,ok\n", header)
    with pytest.raises(DataError, match=r"'1,5' is not a number\. Write decimals with a point\."):
        load(tmp_path, "price;doors;label\n1,5;two;ok\n", header)


def test_numeric_classes_are_in_order_of_value_and_one_for_every_spelling(tmp_path: Path) -> None:
    header, records = load(tmp_path, "a,label\n1,10\n2,9\n3,9.0\n4,1.5\n")
    assert header.classes == ("1.5", "9", "10")
    assert records.labels.tolist() == [2, 1, 1, 0]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_found_and_quotes_are_read(tmp_path: Path, delimiter: str) -> None:
    rows = [["a", "name", "label"], ["1", '"x,;\t""y"', "p"], ["2", '"two\nlines"', "q"], ["3", "z", "r"]]
    header, records = load(tmp_path, "\n".join(delimiter.join(row) for row in rows))
    assert header.columns[1].categories == ("two\nlines", 'x,;\t"y', "z")
    assert records.labels.tolist() == [0, 1, 2]


def test_positions_count_lines_of_the_file_not_rows(tmp_path: Path) -> None:
    text = 'a,name,label\n1,"two\nlines",p\n\n2,x\n'
    with pytest.raises(DataError, match="line 5: The row has 2 cells; the header names 3 columns"):
        load(tmp_path, text)


def test_the_label_column_can_be_chosen_and_columns_left_out(tmp_path: Path) -> None:
    header, _ = load(tmp_path, "id,kind,a\n1,p,5\n2,q,6\n", label="kind", leave_out="id")
    assert header.classes == ("p", "q")
    assert [c.name for c in header.columns] == ["a"]


def test_a_table_feeds_a_graph_built_on_other_data_when_its_numbers_fit(tmp_path: Path) -> None:
    header = Header((2, 2), ("0", "1"))
    _, records = load(tmp_path, "a,b,c,d,label\n1,2,3,4,1\n", header)
    assert records.samples.tolist() == [[[1, 2], [3, 4]]]
    assert records.labels.tolist() == [1]
    _, records = load(tmp_path, "a,b,c,d\n1,2,3,4\n", header)
    assert records.labels.tolist() == [-1]
    with pytest.raises(DataError, match="A row gives 2 features"):
        load(tmp_path, "a,b,label\n1,2,1\n", header)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no rows under a header"),
        (b"a,label\n", "no rows under a header"),
        (b"a,b,label\n1,2,x\n1,x\n", "line 3: The row has 2 cells"),
        (b"a,,label\n1,2,x\n", "Column 2 has no name"),
        (b"a,a,label\n1,2,x\n", "Two columns are named 'a'"),
        (b"1,2,3\n1,2,3\n", "The first row holds numbers"),
        (b"a,label\n1,x\0\n", "line 2: The text holds a NUL byte"),
        (b"a,label\n1,x\n\xff\xfe,y\n", "line 3: The file is not UTF-8 text"),
        (b'a,label\n1,"x\n2,y\n', "line 2: The row cannot be read"),
        (b"a,label\n" + b"9" * 70_000 + b",x\n", "A cell holds"),
        (b"a,label\n" + b"9" * 200_000 + b",x\n", "field larger than field limit"),
        (b"a,label\n1e300,x\n2,y\n", "line 2, column 'a': '1e300' is too large"),
        (b"label\nx\ny\n", "no column beside the label column"),
        (b"a,label\n1,x\n2,x\n", "Classes must be at least two"),
        (b"a,label\n" + b"".join(b"%d,%d\n" % (i, i) for i in range(2000)), "2\u202f000 different values"),
        (
            b"a,label\n" + b"".join(b"n%d,%d\n" % (i, i % 2) for i in range(2000)),
            "2\u202f000 different texts",
        ),
    ],
)
def test_a_broken_table_is_refused_with_a_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    with pytest.raises(DataError, match=words):
        load(tmp_path, content)


def test_a_missing_file_a_folder_and_no_choice_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="not there"):
        CsvTable(path="none.csv").load(tmp_path, None)
    with pytest.raises(DataError, match="not a plain file"):
        CsvTable(path=".").load(tmp_path, None)
    with pytest.raises(DataError, match="No data file is chosen"):
        CsvTable().load(tmp_path, None)
    with pytest.raises(DataError, match="cannot be looked at"):
        CsvTable(path="a" * 5000).load(tmp_path, None)
    with pytest.raises(DataError, match="no column 'klass'"):
        load(tmp_path, CARS, label="klass")


@pytest.mark.parametrize(
    "kept",
    [
        "{",
        "[]",
        "{}",
        '{"label": 1, "columns": []}',
        '{"label": "", "columns": []}',
        '{"columns": 3, "label": ""}',
        '{"label": "", "columns": [{"name": "a", "categories": [1], "median": 0, "gaps": false}]}',
    ],
)
def test_a_broken_encoding_is_refused(kept: str) -> None:
    with pytest.raises(DataError, match="encoded"):
        Encoder.of(kept)


CELL = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)), max_size=6)


@settings(deadline=None, max_examples=40)
@given(rows=st.lists(st.tuples(CELL, CELL, st.sampled_from("pqr")), min_size=3, max_size=8))
def test_the_kept_encoding_gives_the_same_samples_back(tmp_path_factory, rows) -> None:
    import csv
    import io

    folder = tmp_path_factory.mktemp("csv")
    out = io.StringIO()
    csv.writer(out).writerows([("a", "b", "label"), *rows])
    if len({label for _, _, label in rows}) < 2:
        with pytest.raises(DataError, match="at least two"):
            load(folder, out.getvalue())
        return
    header, first = load(folder, out.getvalue())
    again = load(folder, out.getvalue(), header)[1]
    assert Encoder.of(header.encoding).text() == header.encoding
    assert again.samples.tobytes() == first.samples.tobytes()
    np.testing.assert_array_equal(again.facts, first.facts)
    assert (again.labels == first.labels).all()
