order = find_order(request["order_id"])
print("Paid:", order.paid, "refunded so far:", order.refunded)
