"""What people sign: waivers (exceptions) and approvals, as documents and as DSSE statements."""

APPROVALS = "approvals"
"""Folder of approvals, beside the policy, and beside the trust file of whoever deploys."""
WAIVERS = "waivers"
"""Folder of waivers, beside the policy."""
