"""The quake desk's own code: an ordinary application that agents work in. It knows nothing of the kit that runs them.

Here live the desk's durable records, the plain functions that agents call as tools, and the report for people. What
agents are told lives in `agents/`, what reaches them in `queues/`. Keep out: prompts, models, anything that talks to
the network, and any import of `statek`.
"""
