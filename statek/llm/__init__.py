"""Powers: asking a model. Neutral messages, one adapter per wire format, one place that speaks HTTP.

Here live requests and answers, providers, prices and the grammar of model strings. Never a job, a store, a retry of
a whole turn or a limit of a job: that is the runtime's. aiohttp is imported by `transport` only, and an adapter turns
values into values without knowing any other adapter.
"""
