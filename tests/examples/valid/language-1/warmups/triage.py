# Runs once, before the first model call. Blocks are split by a dashed line.
ticket = lookup(event["id"])
# ----------
print("Ticket:", ticket.subject)
print("Earlier tickets of this customer:", len(ticket.history))
