-- What changed since yesterday: Alice may become an administrator, and the application may delete.
-- Parameters: none.
-- Returns: nothing.
do $accounts$ begin
    grant dba to alice;
    grant delete on orders.invoices to billing_app;
end $accounts$
