hits = search_notes(topic)
for note in hits:
    print(note.title, "-", note.summary)
