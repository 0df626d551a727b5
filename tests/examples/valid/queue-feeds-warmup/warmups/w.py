total = sum(len(x) for x in item["parts"])
print(total)
