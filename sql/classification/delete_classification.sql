-- Delete a class that nothing uses.
-- Parameters: code.
-- Returns: code, if there was one.
delete from account_classifications
where code = %(code)s
returning code
