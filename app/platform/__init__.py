"""What the platform says about an app in the same drain: releases, dynos, their memory, add-ons. Pure.

`parse` (lines.py) reads one message into a fact: an `Event` or `Samples`. `joined` (joined.py) puts together
events that explain one another, such as a release and its deploy.
"""
