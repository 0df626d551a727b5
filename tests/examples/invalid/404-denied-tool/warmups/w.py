print(find_order("1"))
