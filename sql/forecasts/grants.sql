-- The writer deletes forecasts that newer ones have superseded, and changes none. The view is only read.
-- Parameters: writer (identifier).
-- Returns: nothing.
revoke insert, update on capacity_runway from {writer};
revoke update on capacity_forecasts, capacity_forecast_scores, capacity_changes from {writer};
grant delete on capacity_forecasts to {writer}
