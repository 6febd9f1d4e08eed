"""The skill of calling functions that are offered as JSON Schema."""
