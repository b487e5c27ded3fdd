"""Units for service managers: what systemd and launchd are told of the engine, and whose the file is (SY-02)."""
