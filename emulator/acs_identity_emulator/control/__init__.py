"""The emulator's own paths: the managed identity, and what steers the emulator."""
