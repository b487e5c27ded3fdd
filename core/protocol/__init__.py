"""What a desk and its engine say to each other: plain bytes in and out, for both ends.

Nothing here opens, waits or looks at a clock. What comes from the other end may come from anybody: it is checked
against the types of the fields before a value of ours is made of it, and one `FrameError` says what is wrong.
"""
