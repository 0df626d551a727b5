"""The spec language: files of a project become checked spec values, or problems with positions. Nothing is run."""
