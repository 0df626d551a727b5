"""Files to documents: which files, their text, YAML with places, settings of the project. Knows no kind of object."""
