find_order = 3
find_user = lambda id: id
