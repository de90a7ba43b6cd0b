-- Accounts as many servers have them: an application, an analyst who only reads, people who are administrators through nested roles, a
-- superuser that everybody forgot, and a planted hole: the analyst reads the hashes of all passwords. None has a password, so none of them
-- can log in.
-- Parameters: none.
-- Returns: nothing.
do $accounts$ begin
    if exists (select 1 from pg_catalog.pg_roles where rolname = 'orders_owner') then
        return;
    end if;
    create role orders_owner;
    create role dba;
    create role alice login noinherit;
    create role bob login;
    create role billing_app login;
    create role analyst login;
    create role legacy_admin superuser login valid until '2019-12-31';
    grant orders_owner to dba;
    grant dba to bob;
    create schema orders authorization orders_owner;
    create table orders.invoices (invoice_id integer primary key, amount numeric not null);
    create table orders.payments (payment_id integer primary key, invoice_id integer not null references orders.invoices);
    alter table orders.invoices owner to orders_owner;
    alter table orders.payments owner to orders_owner;
    grant usage on schema orders to billing_app, analyst;
    grant select, insert, update on all tables in schema orders to billing_app;
    grant select on all tables in schema orders to analyst;
    grant select on pg_catalog.pg_authid to analyst;
end $accounts$
