print(ticket["id"])
