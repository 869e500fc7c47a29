"""What may happen in a clinic while it is being read: at once, or before a certain page."""
