"""The truth: one SQLite file beside the store. What entered, what was called and answered, in which order.

Only this ring imports sqlite3. It never reaches dbzero, even indirectly, so that any process may use it: the command
line appends inputs and moves the head of releases without opening the store.
"""
