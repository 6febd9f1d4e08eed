"""The commands of `bise` that need more than a few lines."""
