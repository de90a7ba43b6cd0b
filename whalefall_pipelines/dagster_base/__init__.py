"""What the assets, sensors and jobs of every area use: calendars, the resource, sessions of runs, metadata."""
