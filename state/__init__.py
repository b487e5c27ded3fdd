"""The disk: journal, documents, lock, kill switch, heartbeat, settings. Implements `core.ports`; decides nothing."""
