"""The commands of `leeway`: a file each. They put other parts together, and import them when they run."""
