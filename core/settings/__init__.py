"""Every setting, one chapter a file; settings as journals keep them, and what another file would change."""
