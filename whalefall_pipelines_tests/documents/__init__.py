"""The documentation: its generated reference, and tests of all pages.

settings.py   what each setting means
reference.py  the generated pages of docs/reference; `make docs` writes them
pages.py      the pages, and the commands and tables in them
"""
