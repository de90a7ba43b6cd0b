-- The monitoring login of a demo server: it may connect and read catalogues; what it may measure is granted.
-- Parameters: role (identifier), password (literal), composed because DDL takes no parameters.
-- Returns: nothing.
create role {role} login password {password}
