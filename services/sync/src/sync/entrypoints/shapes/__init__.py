"""The shapes of what is said and answered, key by key as the API reference has them."""
