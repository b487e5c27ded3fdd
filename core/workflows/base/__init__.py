"""Declarations and deadlines of workflows, and the calls that follow from facts."""
