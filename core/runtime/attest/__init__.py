"""The report of `keyturn attest` on each control, and the run that tries each of them."""
