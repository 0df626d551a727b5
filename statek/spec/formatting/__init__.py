"""The one form of YAML and front matter, comments kept."""
