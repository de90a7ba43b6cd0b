-- Keep everybody but its owner out of a database, the monitoring login too.
-- Parameters: database (identifier), composed because DDL takes no parameters.
-- Returns: nothing.
revoke connect on database {database} from public
