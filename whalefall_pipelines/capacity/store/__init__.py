"""The statements that write, read, check and repair sizes in the store."""
