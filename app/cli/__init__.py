"""The command line, `python -m app COMMAND`: one module a command.

The top floor: it alone may import `drain` and `consumers`.
"""
