"""The terminal: output of the commands and questions to the user."""
