from desk.store import search_notes


def delete_note(title: str) -> None: ...
