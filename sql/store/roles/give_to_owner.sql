-- Everything of a database that is no extension's goes to the owner: the database itself, its tables, views and functions.
-- Parameters: owner, database, schema (identifiers), schema_name (literal).
-- Returns: nothing.
alter database {database} owner to {owner};
grant usage, create on schema {schema} to {owner};
revoke create on schema {schema} from public;
do $roles$
declare
    statement text;
begin
    for statement in
        select format('alter table %s owner to {owner}', c.oid::regclass)
        from pg_catalog.pg_class as c
        where
            c.relnamespace = to_regnamespace(quote_ident({schema_name}))
            and c.relkind in ('r', 'p', 'v')
            and not exists (select 1 from pg_catalog.pg_depend as d where d.objid = c.oid and d.deptype = 'e')
        union all
        select format('alter routine %s owner to {owner}', p.oid::regprocedure)
        from pg_catalog.pg_proc as p
        where
            p.pronamespace = to_regnamespace(quote_ident({schema_name}))
            and not exists (select 1 from pg_catalog.pg_depend as d where d.objid = p.oid and d.deptype = 'e')
    loop
        execute statement;
    end loop;
end $roles$
