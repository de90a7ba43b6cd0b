"""Names of any bytes become unique text, and the text becomes the same bytes again."""

from hypothesis import given
from hypothesis import strategies as st

from whalefall_pipelines.fleet.postgresql.names import decode_name, encode_name

# Bytes for names that are hard to tell apart.
TRICKY = st.lists(st.sampled_from([b"\\", b"x", b"\\x", b"5c", b"e9", b"E9", b"\xe9", b"\xc3\xa9", b"caf", "🐋".encode()])).map(b"".join)


@given(st.binary() | TRICKY)
def test_the_text_of_a_name_leads_back_to_its_bytes(name: bytes) -> None:
    assert encode_name(decode_name(name)) == name


def test_what_is_written_for_bytes_that_are_no_utf8() -> None:
    assert decode_name(b"caf\xe9") == "caf\\xe9"
    assert decode_name(rb"caf\xe9") == "caf\\x5cxe9"
    assert decode_name("漢字".encode("euc_jp")) == "\\xb4\\xc1\\xbb\\xfa"
    assert decode_name(rb"C:\x") == r"C:\x"
