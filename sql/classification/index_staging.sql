-- Let a rule ask about the accounts of its engine alone.
-- Parameters: none.
-- Returns: nothing.
create index if not exists classified_accounts_by_engine on classified_accounts (engine)
