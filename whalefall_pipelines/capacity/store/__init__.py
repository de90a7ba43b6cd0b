"""The sizes in the store: written, read, judged and repaired."""
