"""What people sign: waivers (exceptions), approvals, break-glass orders; documents and DSSE."""

APPROVALS = "approvals"
"""Folder of approvals, beside the policy, and beside the trust file of whoever deploys."""
WAIVERS = "waivers"
"""Folder of waivers, beside the policy."""
BREAK_GLASS = "breakglass"
"""Folder of break-glass orders, beside the trust file of whoever runs the guard."""
