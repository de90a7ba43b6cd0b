"""The statements of the forecasts area: the series of servers as arrays, what is written of them, and reports."""
