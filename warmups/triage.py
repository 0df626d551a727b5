# What anyone at the desk would look at first. The model sees this code and its output as work already done.
print(f"{event['type']}, M {event['mag']} ({event['mag_type']}, {event['status']}), {event['place']}")
print(f"{event['time']}, {event['depth_km']} km deep, felt by {event['felt'] or 'nobody so far'}")
known = nearby(event=event, km=50, days=7, limit=3)
print("On file within 50 km and 7 days:" if known else "Nothing on file within 50 km and 7 days.")
for other in known:
    print(f"- M {other['mag']} {other['grade']}, {other['km']} km away, {other['days']:+.2f} days, {other['place']}")
