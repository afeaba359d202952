"""GitHub: what a workflow step leaves behind of a verdict, for reviewers and for the next step.

A summary, one comment that is kept up to date, annotations at the policy's lines, and outputs.
Nothing here decides: whatever cannot be shown or sent is told and never makes a gate pass or fail.
"""
