"""The statements that remove whole months and expired rows from the store."""
