"""What `keyturn attest` tells of each control, and the run in which each is tried."""
