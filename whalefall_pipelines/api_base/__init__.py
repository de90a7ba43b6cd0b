"""What the routes of every area use: callers and scopes, answers, problems, pages. The app is in `api/`, the sign-in in `gate/`."""
