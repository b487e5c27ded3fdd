"""Units for service managers: the definitions for systemd and launchd, and the check that an installed file is ours
(SY-02).
"""
