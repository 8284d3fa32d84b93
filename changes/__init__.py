"""Two synthesized cloud assemblies go in, what changes between them comes out as Markdown, the dangerous part on top.

No account and no credentials: only templates are compared. Knows nothing of FormLens; see docs/decisions/0060.
"""
