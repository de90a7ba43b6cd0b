"""One module a page: reads it through the verbs of the areas, and says in its first sentence what a person came for."""
