"""Reasons for values as JSON: what `statek why` prints of objects and jobs alike. Pure."""

from statek.compiler.why import Reason


def reason_json(reason: Reason) -> dict[str, object]:
    """One of the `values` of the document `Why`."""
    chain = [
        {
            "relation": said.relation, "text": said.text, "owner": said.owner, "file": said.file, "line": said.line,
            "column": said.column,
        }
        for said in reason.chain
    ]  # fmt: skip
    return {"field": reason.field, "value": reason.value, "chain": chain}
