"""Units for service managers: the definitions for systemd and launchd, and the check whose file is
installed (SY-02).
"""
