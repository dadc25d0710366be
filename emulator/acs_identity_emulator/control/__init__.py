"""The emulator's own paths: the managed identity, and the control API."""
