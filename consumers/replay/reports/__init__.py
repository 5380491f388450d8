"""The forms of a window replay's result: what the terminal shows, and the files of `--report`. Pure but for
the last.

A module a form; `files.py` chooses by the file's ending. `words.py` holds what several of them say.
"""
