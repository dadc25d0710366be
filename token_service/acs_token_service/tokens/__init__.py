"""Access tokens: the cache, one issue at a time, the limits, and the resource."""
