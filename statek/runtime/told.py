"""What clients are told about a job's end: the body of a `said` record. Reads the job, runs nothing of its objects."""

from typing import Any

from statek.ledger.records import pack

LONGEST = 64_000  # bytes of a result in the ledger; a longer one is in the store alone


def final_result(job: Any) -> dict[str, Any]:
    """Outcome and error, and what the job gave to `exit`.

    `result` is that value when it is JSON data of at most LONGEST bytes; else `resultType` names its type (a tuple
    becomes a list on the way).
    """
    told: dict[str, Any] = {"outcome": job.outcome}
    error = job.error
    if error is not None:
        told["error"] = error.error_message
    if job.exit_bytes is not None:
        told |= _result(job)
    return told


def refused(reason: str) -> dict[str, Any]:
    """The same for an input that became no job."""
    return {"outcome": "refused", "error": reason}


def _result(job: Any) -> dict[str, Any]:
    try:
        value = job.exit_value
    except Exception as error:  # noqa: BLE001 - an object of the application that cannot be read costs only itself
        return {"resultType": f"unreadable: {type(error).__name__}"}
    try:
        if len(pack(value)) <= LONGEST:
            return {"result": value}
    except (TypeError, ValueError, RecursionError):
        pass  # no JSON data
    return {"resultType": type(value).__name__}
