"""Units for service managers: definitions for systemd and launchd, and whether an installed file is ours (SY-02)."""
