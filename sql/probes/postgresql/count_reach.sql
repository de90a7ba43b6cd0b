-- How many objects of each database a role owns, is named in the privileges of, or in policies, without entering the database. It knows no
-- kinds of privileges, nothing of PUBLIC, and nothing that belongs to the first superuser.
-- Parameters: none.
-- Returns: account_id, database_name (bytea), owned_count, granted_count, policy_count. Source: catalogue pg_shdepend.
select
    s.refobjid as account_id,
    pg_catalog.textsend(d.datname::pg_catalog.text) as database_name,
    pg_catalog.count(*) filter (where s.deptype operator(pg_catalog.=) 'o') as owned_count,
    pg_catalog.count(*) filter (where s.deptype operator(pg_catalog.=) 'a') as granted_count,
    pg_catalog.count(*) filter (where s.deptype operator(pg_catalog.=) 'r') as policy_count
from pg_catalog.pg_shdepend as s
inner join pg_catalog.pg_database as d on s.dbid operator(pg_catalog.=) d.oid
where s.refclassid operator(pg_catalog.=) 'pg_catalog.pg_authid'::pg_catalog.regclass
group by s.refobjid, d.datname
