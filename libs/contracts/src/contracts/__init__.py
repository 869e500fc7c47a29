"""What crosses the wire between Routiq's services: events, records, and the map of who hears what."""
