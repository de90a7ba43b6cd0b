"""Names that break careless programs; every path that takes a name must carry them unchanged."""

HOSTILE_NAMES = (
    "it's",
    'say "no"',
    "a; drop table instances; --",
    "100%s %(name)s {x} %",
    "two\nlines",
    "tab\tand\x1b[31mcolour",
    "🐋 fällt",
    "UPPER",
    "  leading and trailing  ",
    "back\\slash",
    "x" * 63,
    "null",
    "-5",
    "=1+1",
    ":colon: value",
    "# no comment",
)
