-- An assignment that began today is replaced by a second evaluation of today, the counts of a day are written again, and a class that
-- nothing uses may go. Versions of rules stay.
-- Parameters: writer (identifier).
-- Returns: nothing.
revoke update on account_classifications, classification_daily_counts from {writer};
grant delete on account_classifications, account_classification_assignments, classification_daily_counts to {writer}
