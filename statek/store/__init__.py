"""The state: jobs, agents, definitions and their history in the dbzero object store. Only this ring imports dbzero.

Persisted classes hold state and its rules, nothing else; the work on them is done by functions of the runtime. Every
persisted class carries a fixed id from its first commit. Fields hold only what the store keeps exactly: text without
NUL, 64-bit integers, floats, bytes, references, lists; everything else is encoded here. No dictionary or set ever
loses a key, no tag is unique to one object (the store corrupts or hangs on both; see docs/decisions/).
"""
