"""The health of a running engine over HTTP on this machine; off unless the settings name an address."""
