"""The commands of forecasts."""
