"""Shared by the assets, sensors and jobs of every area: calendars, the resource, run tags, metadata."""
