def search_notes(topic: str) -> list:
    return []
