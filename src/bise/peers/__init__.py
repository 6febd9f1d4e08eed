"""Other engines beside ours, on the same weights.

Each peer is a process that answers the same few commands over a pipe (`talk.py`), ours too; so a
comparison (`compare.py`) starts, stops and times all of them alike. Nothing here runs unless asked.
"""
