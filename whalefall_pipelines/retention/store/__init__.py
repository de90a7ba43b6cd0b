"""Rows that leave the store: of whole months, and one by one."""
