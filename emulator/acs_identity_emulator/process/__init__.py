"""The process of the command line: its options, its log, its end."""
