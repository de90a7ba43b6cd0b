-- A version that began today is replaced by a second reading of today; the dictionaries only grow. Views are only read.
-- Parameters: writer (identifier).
-- Returns: nothing.
revoke insert, update on account_attribute_versions, account_privilege_versions, account_change_log from {writer};
revoke update on account_attribute_sets, account_privilege_facts from {writer};
grant delete on account_attributes, account_membership_versions, account_privileges, account_reach_versions, account_gaps,
account_observations to {writer}
