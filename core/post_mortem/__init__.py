"""Post-mortems: the results of trades and days explained from the journal; nothing is decided by them
(AN-03, AN-06).
"""
