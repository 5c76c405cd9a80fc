"""A small invented copy of Wikimedia's dumps site, and a loopback server for it that can misbehave on request.

``content`` is the truth as plain values, and ``pages`` what each wiki holds; ``files`` and ``runs`` write it the way
the real site lays it out, ``server`` serves any folder, and ``faults`` names what can go wrong on the way.
"""
