ticket = lookup(event["id"])
# ----------
print(tiket)
clos(ticket)
