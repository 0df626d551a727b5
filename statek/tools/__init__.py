"""Tools: what a job may call. Looked up, described and checked here; called, recorded and repeated by the runtime.

May live here: the registry of `@tool` functions, texts and schemas of tools, argument conversion, declared HTTP tools.
May not: anything that knows a running job, its journal or the ledger (runtime), or the reading of ToolSet files (spec).
"""
