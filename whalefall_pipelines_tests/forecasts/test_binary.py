"""Rows that are written in the binary format are those that PostgreSQL then has."""

from datetime import date

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2 import sql

from whalefall_pipelines.forecasts.store.binary import Blocks, Numbers, Texts, day_number, encode, known_numbers, same
from whalefall_pipelines.store.database import Database

TEXTS = ("issued", "ö", "")
DAY = date(2026, 2, 28)
CREATE = (
    "create temporary table written (number integer, small smallint, known integer, word text, share double precision, made date, "
    "sizes bigint[], errors double precision[]) on commit drop"
)
ROW = st.tuples(
    st.integers(-(2**31), 2**31 - 1),
    st.integers(-(2**15), 2**15 - 1),
    st.none() | st.integers(-(2**31), 2**31 - 1),
    st.sampled_from(range(len(TEXTS))),
    st.none() | st.floats(allow_nan=False),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=3, max_size=3),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=2, max_size=2),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROW, max_size=30))
def test_every_value_arrives(store: Database, rows: list[tuple[int, int, int | None, int, float | None, list[int], list[float]]]) -> None:
    numbers, small, known, places, shares, sizes, errors = map(list, zip(*rows, strict=True)) if rows else ([],) * 7
    columns = [
        Numbers(">i4", np.array(numbers, dtype=np.int64)),
        Numbers(">i2", np.array(small, dtype=np.int64)),
        Numbers(
            ">i4", np.array([value or 0 for value in known], dtype=np.int64), np.array([value is not None for value in known], dtype=bool)
        ),
        Texts(TEXTS, np.array(places, dtype=np.int64)),
        known_numbers(">f8", np.array([np.nan if share is None else share for share in shares], dtype=np.float64)),
        same(">i4", day_number(DAY), len(rows)),
        Numbers(">i8", np.array(sizes, dtype=np.int64).reshape(-1, 3)),
        Numbers(">f8", np.array(errors, dtype=np.float64).reshape(-1, 2)),
    ]
    with store.transaction() as cursor:
        cursor.execute(CREATE)
        cursor.copy(sql.SQL("copy written from stdin with binary"), Blocks(encode(columns)))
        cursor.execute("select * from written")
        written = cursor.fetchall()
    expected = [(row[0], row[1], row[2], TEXTS[row[3]], row[4], DAY, row[5], row[6]) for row in rows]
    assert sorted(written, key=repr) == sorted(expected, key=repr)


def test_a_file_of_blocks_can_be_read_in_any_pieces() -> None:
    blocks = [b"abc", b"defgh"]
    whole = Blocks(iter(blocks)).read(-1)
    for size in (1, 2, 100):
        file, pieces = Blocks(iter(blocks)), list[bytes]()
        while piece := file.read(size):
            assert len(piece) <= size
            pieces.append(piece)
        assert b"".join(pieces).startswith(whole)
        assert b"".join(pieces)[len(whole) : -2] == b"abcdefgh"
