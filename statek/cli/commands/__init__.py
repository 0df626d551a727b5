"""One file for each verb: `command` declares its words, `run` takes plain values and returns an exit code.

Imported by the table in `statek.cli.main` when the verb is called, so each may import what it needs, and only that.
"""
