"""The command line: words in, plain values to the rings below, text or JSON out, an exit code at the end.

`main` holds the table of verbs and the error boundary, `commands` one file for each verb. Nothing here decides what an
agent, a release or a job is; only this ring imports click and rich.
"""
