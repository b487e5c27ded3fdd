"""Storage on disk: journal, documents, lock, kill switch, heartbeat and settings.

Implements `core.ports`; decides nothing.
"""
