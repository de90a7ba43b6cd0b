-- The newest day on which accounts were classified.
-- Parameters: none.
-- Returns: day; NULL: none.
select max(day) as day
from classification_daily_counts
