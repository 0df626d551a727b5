"""Ground: pure functions on text: fences, prompt templates, warmup blocks, replies of models, values in words.

Nothing here reads a file, a clock, a setting or the store; the same text in gives the same value out. What is wrong
with a text comes back as a value with a position, or as an exception that carries one. `template.py` is the only user
of jinja2. Code that knows what an agent, a tool or an input is belongs to the rings above.
"""
