"""The document that describes the whole API, made of what each service says of itself."""
